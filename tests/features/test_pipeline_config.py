import pytest

from features.pipeline_config import PipelineConfig


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"faces": "both"}, "faces must be one of"),
        ({"no_face": "x"}, "no_face must"),
        ({"min_face_px": -1}, "0 or more"),
    ],
)
def test_unknown_policies_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        PipelineConfig(**change)
