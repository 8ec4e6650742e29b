"""``pred.py --gallery`` as its users call it, on synthetic photos that the detector ``none`` takes whole."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from faceheads.identification.thresholds import default_threshold_path
from faceheads.verification.threshold_file import load_threshold, save_threshold
from features.annotate import people
from features.annotate.cli import annotate_main
from features.extract import Extraction
from features.pipeline import FacePipeline
from tests.features.photos import whole_image_config, write_photos

NAME = "Zoë Бел"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three photos; a gallery with two of them, with somebody else, and with a file that is no photo."""
    folder = tmp_path_factory.mktemp("people")
    write_photos(folder / "photos", 3)
    write_photos(folder / "people" / "Cy", 1, seed=5)
    (folder / "people" / NAME).mkdir()
    shutil.copy(folder / "photos" / "000.png", folder / "people" / NAME / "passport.png")
    shutil.copy(folder / "photos" / "001.png", folder / "people" / "=2+2.png")
    (folder / "people" / "Dee.jpg").write_text("no photo")
    file = load_threshold(default_threshold_path())
    spec = FacePipeline(whole_image_config()).table_spec
    save_threshold(folder / "t.json", replace(file, spec=spec, threshold=0.999, unsure_low=0.998, unsure_high=0.9995))
    return folder


def run(folder, output, *more):
    options = ("--img_dir", folder / "photos", "--output_dir", output, "--jobs", 1, *more)
    return annotate_main([str(option) for option in options])


@pytest.fixture(scope="module")
def output(folder):
    assert run(folder, folder / "out", "--gallery", folder / "people", "--match_threshold", folder / "t.json") == 0
    return folder / "out"


def test_faces_are_named_and_all_tables_say_so(output):
    faces = pd.read_csv(output / "faces.csv", index_col="path")
    assert list(faces["name"]) == [NAME, "=2+2", "unknown"]
    assert faces.loc["000.png", "name_similarity"] == pytest.approx(1)
    assert faces.loc["002.png", "name_similarity"] < 0.999 and faces.loc["002.png", "name_nearest"]
    assert list(pd.read_csv(output / "photos.csv")["name"]) == [NAME, "=2+2", "unknown"]
    values = json.loads((output / "faces.json").read_text(encoding="utf-8"))
    assert values["photos"][0]["faces"][0]["decisions"][0]["text"] == f"{NAME} 1.00"
    assert "targets" not in values["provenance"]  # no head is used unless asked for
    assert values["provenance"]["people"]["names"]["threshold"] == 0.999


def test_gallery_photos_that_could_not_be_enrolled_are_counted_and_listed(output, folder, capsys):
    run(folder, output, "--gallery", folder / "people", "--match_threshold", folder / "t.json", "--json")
    told = capsys.readouterr()
    people = json.loads(told.out)["people"]["names"]
    assert (people["people"], people["photos_enrolled"], people["photos_not_enrolled"]) == (3, 3, {"unreadable": 1})
    assert "1 people cannot be named, none of their photos could be enrolled: Dee\n" in told.err
    assert pd.read_csv(output / "gallery.csv", index_col="path").loc["Dee.jpg", "status"] == "unreadable"


def test_the_table_of_a_gallery_names_the_same_faces(output, folder, tmp_path):
    table = output / "embeddings" / "gallery.parquet"
    assert run(folder, tmp_path / "out", "--gallery", table, "--match_threshold", folder / "t.json") == 0
    assert (tmp_path / "out" / "faces.csv").read_text() == (output / "faces.csv").read_text()


def test_heads_decide_as_well_where_they_are_asked_for(folder, output):
    options = ("--gallery", folder / "people", "--match_threshold", folder / "t.json", "--attributes", "gender,age")
    assert run(folder, folder / "both", *options) == 0
    faces = pd.read_csv(folder / "both" / "faces.csv")
    assert {"name", "gender", "age"} <= set(faces.columns) and "race" not in faces
    assert faces["age"].notna().all() and list(faces["name"]) == [NAME, "=2+2", "unknown"]


def test_a_table_of_other_settings_in_the_output_folder_is_made_anew(folder, tmp_path):
    shutil.copytree(folder / "out", tmp_path / "out")
    other = FacePipeline(whole_image_config(min_face_px=3))
    Extraction(folder / "photos", ["000.png"], other.config, tmp_path / "x.parquet").run()
    shutil.copy(tmp_path / "x.parquet", tmp_path / "out" / "embeddings" / "photos.parquet")
    assert run(folder, tmp_path / "out", "--gallery", folder / "people", "--match_threshold", folder / "t.json") == 0
    assert len(pd.read_csv(tmp_path / "out" / "faces.csv")) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--gallery", "nowhere"), "--gallery must be a folder of photos"),
        (("--fpir", "0.1"), "--fpir goes with --gallery"),
        (("--gallery", "people", "--match_threshold", "t.json", "--fpir", "0.0000001"), "non-mated comparisons"),
        (("--gallery", "table.parquet"), "The threshold belongs to embeddings"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_two(folder, output, capsys, monkeypatch, options, message):
    monkeypatch.chdir(folder)
    shutil.copy(output / "embeddings" / "gallery.parquet", folder / "table.parquet")
    assert run(folder, folder / "wrong", *options) == 2
    told = capsys.readouterr().err
    assert message in told and "Traceback" not in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--match_threshold", "t.json", "--fpir", "0.0000001"), "non-mated comparisons"),
        ((), "The threshold belongs to embeddings"),
    ],
)
def test_what_is_wrong_with_a_gallery_is_said_before_the_photos_are_looked_at(
    folder, output, tmp_path, capsys, monkeypatch, options, message
):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(people, "photos_table", None)
    gallery = output / "embeddings" / "gallery.parquet"
    assert run(folder, tmp_path / "out", "--gallery", gallery, *options) == 2
    assert message in capsys.readouterr().err


def test_people_without_a_name_are_numbered_across_photos(folder, tmp_path, capsys):
    shutil.copytree(folder / "photos", tmp_path / "photos")
    shutil.copy(folder / "photos" / "002.png", tmp_path / "photos" / "again.png")
    options = ("--group", "--gallery", folder / "people", "--match_threshold", folder / "t.json", "--json")
    assert run(tmp_path, tmp_path / "out", *options) == 0
    groups = json.loads(capsys.readouterr().out)["people"]["groups"]
    assert (groups["people"], groups["faces_grouped"], groups["seen_once"]) == (1, 2, 0)
    faces = pd.read_csv(tmp_path / "out" / "faces.csv", index_col="path")
    assert faces.loc[["002.png", "again.png"], "person"].tolist() == ["person 1", "person 1"]
    assert faces.loc["000.png", "name"] == NAME and pd.isna(faces.loc["000.png", "person"])
    assert pd.read_csv(tmp_path / "out" / "groups.csv")["path"].tolist() == ["002.png", "again.png"]
    assert [path.name for path in (tmp_path / "out" / "groups").iterdir()] == ["person_0001.jpg"]


def test_sheets_of_an_earlier_run_go_and_a_folder_of_photos_with_their_name_is_refused(folder, tmp_path, capsys):
    (tmp_path / "out" / "groups").mkdir(parents=True)
    (tmp_path / "out" / "groups" / "person_0009.jpg").touch()
    (tmp_path / "out" / "groups" / "mine.jpg").touch()
    assert run(folder, tmp_path / "out", "--group", "--match_threshold", folder / "t.json") == 0
    assert {path.name for path in (tmp_path / "out" / "groups").iterdir()} == {"mine.jpg", "seen_once.jpg"}
    write_photos(tmp_path / "photos" / "Groups", 1)
    assert run(tmp_path, tmp_path / "out", "--group") == 2
    assert "--group writes into the folder 'groups'" in capsys.readouterr().err
