"""What all distortions have in common: shape, seed, and that a higher severity is worse."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from finetune.distortions import FACECOM_KINDS, KINDS, SEVERITIES, Subject, distort, seed_of

REPOSITORY = Path(__file__).resolve().parents[3]
#: Eyes, nose and mouth corners of a face in the middle of the photo below.
LANDMARKS = np.array([[40.0, 44], [72, 46], [55, 62], [44, 78], [68, 79]])
FACE = Subject(70.0, LANDMARKS, "arcface5")


def photo(height=110, width=120):
    """Slow waves of colour with edges: something that every distortion changes."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 13)], axis=-1)
    return np.rint(127 + 70 * waves + 30 * np.sign(waves[..., ::-1])).astype(np.uint8)


def difference(rgb, other):
    return np.abs(rgb.astype(float) - other).mean()


@pytest.mark.parametrize("kind", KINDS)
def test_a_distortion_keeps_the_shape_and_leaves_its_input_alone(kind):
    before = photo()
    rgb = before.copy()
    out = distort(rgb, kind, 2, 5, FACE)
    assert (out.shape, out.dtype) == (rgb.shape, np.uint8)
    np.testing.assert_array_equal(rgb, before)
    assert not np.shares_memory(out, rgb)


@pytest.mark.parametrize("kind", KINDS)
def test_a_higher_severity_is_further_from_the_photo(kind):
    rgb = photo()
    differences = [difference(rgb, distort(rgb, kind, severity, 5, FACE)) for severity in SEVERITIES]
    assert 0 < differences[0] < differences[1] < differences[2]


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_alone_decides_what_is_drawn(kind):
    rgb = photo()
    np.testing.assert_array_equal(distort(rgb, kind, 2, 5, FACE), distort(rgb, kind, 2, 5, FACE))
    is_drawn = kind not in ("blur", "resize", "jpeg")
    others = [distort(rgb, kind, 2, seed, FACE) for seed in range(6, 12)]
    assert any(difference(distort(rgb, kind, 2, 5, FACE), other) > 0 for other in others) == is_drawn


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (2, 300), (90, 3)])
def test_the_smallest_photos_are_distorted_too(kind, size):
    assert distort(photo(*size), kind, 3, 0, FACE).shape == (*size, 3)


def test_the_seeds_of_a_run_do_not_depend_on_the_process():
    code = "from finetune.distortions import seed_of; print(seed_of(3, 'A/A_1.jpg', 'fog'))"
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert int(run.stdout) == seed_of(3, "A/A_1.jpg", "fog")


def test_photos_kinds_and_seeds_draw_apart():
    seeds = {seed_of(seed, path, kind) for seed in (0, 1) for path in ("a.jpg", "b.jpg") for kind in KINDS}
    assert len(seeds) == 4 * len(KINDS)
    assert all(0 <= seed < 2**63 for seed in seeds), "a label file holds them as 64-bit numbers"


def test_the_parameters_that_the_protocol_fixes_are_the_protocols():
    assert [p["sigma_px"] for p in KINDS["blur"].parameters] == [1.5, 3, 5]
    assert [p["sigma"] for p in KINDS["noise"].parameters] == [10, 25, 50]
    assert [p["face_px"] for p in KINDS["resize"].parameters] == [48, 32, 20]
    assert [p["gain"] for p in KINDS["low_light"].parameters] == [0.5, 0.3, 0.15]
    assert len(FACECOM_KINDS) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("snow", 1, 0), "must be one of blur, fog"),
        (("fog", 0, 0), "severity must be 1, 2 or 3; got 0"),
        (("occlude_eyes", 1, 0), "need landmarks of scheme dlib5, dlib68 or arcface5"),
    ],
)
def test_what_cannot_be_done_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        distort(photo(), *arguments)


def test_the_functions_load_neither_torch_nor_pandas_nor_opencv_before_they_are_called():
    code = "import sys, finetune.distortions; print({'torch', 'pandas', 'cv2', 'joblib', 'PIL'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
