import numpy as np
import pytest
from PIL import Image

from faceheads.images.reading import read_image
from faceheads.store import load_heads
from features.annotate.cli import annotate_main, default_heads
from features.explain.job import EXPLANATIONS, ExplanationJob
from features.pipeline_config import PipelineConfig


def job(folder, output, **changes):
    config = PipelineConfig.from_spec(load_heads(default_heads()).table_spec, faces="all", no_face="skip")
    return ExplanationJob(folder, output, default_heads(), config, ("gender", "age"), **changes)


@pytest.mark.data
def test_every_face_of_every_photo_gets_its_maps_and_what_has_none_gets_a_reason(data_dir, tmp_path):
    photos = tmp_path / "photos"
    (photos / "sub").mkdir(parents=True)
    source = min((data_dir / "lfw" / "lfw-deepfunneled").glob("*/*_0001.jpg"))
    (photos / "sub" / "one.jpg").write_bytes(source.read_bytes())
    Image.fromarray(np.zeros((80, 80, 3), np.uint8)).save(photos / "black.png")
    (photos / "broken.jpg").write_bytes(b"no photo")
    done = job(photos, tmp_path / "out").run(["black.png", "broken.jpg", "sub/one.jpg"])
    assert [one.n_faces for one in done] == [0, 0, 1]
    assert done[0].reason
    assert done[1].reason
    folder = tmp_path / "out" / EXPLANATIONS / "sub"
    assert sorted(f.name for f in folder.iterdir()) == ["one.jpg.0.age.png", "one.jpg.0.gender.png", "one.jpg.0.npz"]
    with np.load(folder / "one.jpg.0.npz", allow_pickle=False) as arrays:
        assert arrays["crop"].shape == (150, 150, 3)
        assert arrays["gender"].shape == arrays["age"].shape == (150, 150)
        assert not np.allclose(arrays["gender"], arrays["age"])
        assert np.isfinite(arrays["gender"]).all()
    assert read_image(folder / "one.jpg.0.age.png").rgb.shape == (300, 600, 3)


def test_targets_that_the_model_does_not_predict_are_refused(tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(b"")
    assert annotate_main(["--img_dir", str(tmp_path), "--output_dir", str(tmp_path / "o"), "--explain", "hair"]) == 2
    assert "--explain" in (error := capsys.readouterr().err)
    assert "hair" in error


def test_attention_of_a_network_without_any_is_refused_before_anything_is_written(tmp_path, capsys):
    Image.fromarray(np.zeros((80, 80, 3), np.uint8)).save(tmp_path / "black.png")
    options = ["--img_dir", str(tmp_path), "--output_dir", str(tmp_path / "o")]
    assert annotate_main([*options, "--explain", "gender", "--explain_by", "attention"]) == 2
    assert "need a vision transformer" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
