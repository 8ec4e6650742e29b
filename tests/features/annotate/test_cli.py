"""``pred.py`` as its users call it, on synthetic photos that the detector ``none`` takes whole."""

import json

import pandas as pd
import pytest

from faceheads.labels import read_labels
from faceheads.store import save_heads
from faceheads.table_io import read_table
from faceheads.training import TrainingOptions, train_heads
from features.annotate.cli import annotate_main
from features.extract import Extraction
from tests.features.photos import whole_image_config, write_photos


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Heads of a table in which every image is a face, written as .skops and as .pkl."""
    folder = tmp_path_factory.mktemp("model")
    names = write_photos(folder / "photos", 40)
    Extraction(folder / "photos", names, whole_image_config(), folder / "f.parquet").run()
    rows = "".join(f"{name},{'ab'[i % 2]}\n" for i, name in enumerate(names))
    (folder / "f.label.csv").write_text("path,letter\n" + rows)
    options = TrainingOptions(head="logistic", n_resamples=10)
    result = train_heads(read_table(folder / "f.parquet"), read_labels(folder / "f.label.csv"), options)
    for suffix in ("skops", "pkl"):
        save_heads(folder / f"heads.{suffix}", result.file)
    return folder / "heads.skops"


@pytest.fixture
def photos(tmp_path):
    write_photos(tmp_path / "photos" / "a" / "b", 1)
    write_photos(tmp_path / "photos", 1, seed=1)
    (tmp_path / "photos" / "no photo.jpg").write_text("hello")
    return tmp_path / "photos"


def run(*arguments):
    return annotate_main([str(a) for a in (*arguments, "--jobs", 1, "--max_failures", 1)])


def test_nested_photos_are_annotated_and_what_is_no_photo_is_listed(photos, model, tmp_path, capsys):
    assert run("--img_dir", photos, "--output_dir", tmp_path / "out", "--model", model, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["photos"], summary["faces"], summary["status"]["unreadable"]) == (3, 2, 1)
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert written >= {"000.png", "000.csv", "a/b/000.png", "a/b/000.csv", "faces.csv", "faces.parquet", "faces.json"}
    listed = pd.read_csv(tmp_path / "out" / "photos.csv", index_col="path")
    assert listed.loc["no photo.jpg", ["status", "reason"]].tolist() == ["unreadable", "not an image"]


def test_an_output_folder_inside_that_of_the_photos_is_not_annotated_again(photos, model, tmp_path):
    for _ in range(2):
        assert run("--img_dir", photos, "--output_dir", photos / "out", "--model", model) == 0
    assert len(pd.read_csv(photos / "out" / "photos.csv")) == 3


def test_an_output_folder_above_that_of_the_photos_hides_none(photos, model, tmp_path):
    assert run("--img_dir", photos, "--output_dir", tmp_path, "--model", model) == 0
    assert len(pd.read_csv(tmp_path / "photos.csv")) == 3


def test_a_pickled_model_needs_trust_and_gives_the_same_decisions(photos, model, tmp_path, capsys):
    pickled = model.with_suffix(".pkl")
    assert run("--img_dir", photos, "--output_dir", tmp_path / "p", "--model", pickled) == 2
    assert "--trust" in capsys.readouterr().err
    assert run("--img_dir", photos, "--output_dir", tmp_path / "p", "--model", pickled, "--trust") == 0
    assert run("--img_dir", photos, "--output_dir", tmp_path / "s", "--model", model) == 0
    assert (tmp_path / "p" / "faces.csv").read_text() == (tmp_path / "s" / "faces.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--img_dir", "nowhere"), "--img_dir must be a folder of photos; there is none at nowhere"),
        (("--img_dir", "empty"), "There are no photos in empty"),
        (("--output_dir", "photos"), "output_dir must not be where the photos are"),
        (("--output_dir", "photos/no photo.jpg/out"), "cannot be written to: Not a directory"),
        (("--attributes", "letter,word"), "it has no ['word']"),
        (("--font", "nowhere.ttf"), "--font must be a TrueType or OpenType file; 'nowhere.ttf' is none"),
        (("--model", "nowhere.skops"), "There is no head file at nowhere.skops"),
        (("--device", "tpu"), "--device must be cpu"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_two(photos, model, tmp_path, capsys, monkeypatch, arguments, message):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    defaults = {"--img_dir": "photos", "--output_dir": "out", "--model": model} | {arguments[0]: arguments[1]}
    assert run(*(part for pair in defaults.items() for part in pair)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
