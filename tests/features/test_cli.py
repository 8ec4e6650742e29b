"""The command lines as their users call them."""

import json
import shlex

import pandas as pd
import pytest

from faceheads.extraction_command import extraction_command
from faceheads.table_io import read_table
from features.cli import extract_main
from features.embed import EmbedderRequest
from features.extract_cli import extraction_parser
from features.options import pipeline_config
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig
from tests.features.photos import write_photos


@pytest.fixture
def photos(tmp_path):
    for person in ("ann", "ben"):
        write_photos(tmp_path / "photos" / person, 2, seed=ord(person[0]))
    (tmp_path / "photos" / "ann" / "empty.jpg").touch()
    return tmp_path / "photos"


def run(*arguments):
    return extract_main([str(a) for a in arguments])


def test_a_folder_becomes_a_table_with_labels_and_the_summary_counts_every_image(photos, tmp_path, capsys):
    options = ("--data_dir", photos, "--detector", "none", "--jobs", 1, "--max_failures", 1)
    assert run(*options, "--save_feature", tmp_path / "f.csv", "--profile") == 0
    out = capsys.readouterr().out
    assert "unreadable         1" in out
    assert "images               5" in out
    assert "embed" in out
    labels = pd.read_csv(tmp_path / "f.label.csv", index_col=0)
    assert len(pd.read_csv(tmp_path / "f.csv", index_col=0)) == 4
    assert set(labels.iloc[:, 0]) == {"ann", "ben"}


def test_json_is_the_twin_of_the_summary_and_a_second_run_computes_nothing(photos, tmp_path, capsys):
    options = ("--data_dir", photos, "--detector", "none", "--jobs", 1, "--max_failures", "20%", "--json")
    assert run(*options, "--save_feature", tmp_path / "f.parquet") == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["images"], first["faces"], first["computed"]) == (5, 4, 5)
    assert first["embedder_digest"] == read_table(tmp_path / "f.parquet").spec.embedder_digest
    assert run(*options, "--save_feature", tmp_path / "f.parquet", "--resume") == 0
    assert json.loads(capsys.readouterr().out)["computed"] == 0


def test_too_many_failures_are_exit_code_one(photos, tmp_path, capsys):
    options = ("--data_dir", photos, "--detector", "none", "--jobs", 1, "--save_feature", tmp_path / "f.parquet")
    assert run(*options, "--max_failures", 0) == 1
    assert "1 of 5 images were unreadable or failed, more than --max_failures 0 allows" in capsys.readouterr().err
    assert run(*options, "--max_failures", "19%") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data_dir", "nowhere"), "nowhere"),
        (("--data_dir", ".", "--embedder", "arcface"), "--embedder must be one of"),
        (("--data_dir", ".", "--max_failures", "some"), "--max_failures must be"),
        (("--data_dir", ".", "--device", "tpu"), "--device must be cpu"),
        (("--data_dir", ".", "--device", "cuda:99"), "--device cuda:99"),
        (("--data_dir", ".", "--detector", "mtcnn", "--upsample", "2"), "--upsample is a setting of hog and cnn"),
        (("--data_dir", ".", "--layers", "block99"), "block99"),
        (("--data_dir", ".", "--jobs", "0"), "jobs must be"),
        (("--data_dir", ".", "--reduce", "--min_face", "70"), "--reduce needs --min_face 80 or more"),
        (("--data_dir", ".", "--reduce", "--detector", "mtcnn"), "--reduce goes with --detector hog and cnn"),
        (("--data_dir", ".", "--save_feature", "f.txt"), "must end in .parquet or .csv"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_two(photos, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(photos)
    if "--save_feature" not in arguments:
        arguments = (*arguments, "--save_feature", str(tmp_path / "f.parquet"))
    assert run(*arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err


def test_another_specification_is_refused_with_the_difference(photos, tmp_path, capsys):
    options = ("--data_dir", photos, "--detector", "none", "--jobs", 1, "--save_feature", tmp_path / "f.parquet")
    run(*options, "--max_failures", 5)
    assert run(*options, "--flip") == 2
    assert "embedder.flip: False there, True now" in capsys.readouterr().err


@pytest.mark.parametrize(
    "config",
    [
        PipelineConfig(faces="all", min_face_px=20, no_face="whole"),
        PipelineConfig(
            EmbedderRequest(layers=("attributes",), landmarks="68", flip=True, jitter=2),
            detector="cnn",
            detector_settings={"upsample": 1, "threshold": -0.5},
            landmarks="68",
        ),
        PipelineConfig(detector_settings={"reduction": 3}, min_face_px=120),
    ],
)
def test_the_command_that_a_head_prints_makes_the_specification_that_it_needs(config):
    spec = FacePipeline(config).table_spec
    command = shlex.split(extraction_command(spec))
    args = extraction_parser().parse_args(command[2:])
    assert FacePipeline(pipeline_config(args)).table_spec == spec


def test_what_cannot_be_written_is_noticed_before_anything_is_computed(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(FacePipeline, "rows_of", lambda *_: pytest.fail("an image was processed"))
    (tmp_path / "file").touch()
    options = ("--data_dir", photos / "ann", "--detector", "none", "--jobs", 1)
    assert run(*options, "--save_feature", tmp_path / "file" / "f.parquet") == 2
    assert "f.parquet cannot be written: Not a directory" in capsys.readouterr().err
    assert run(*options, "--save_feature", tmp_path / "f.csv", "--save_label", tmp_path / "l.csv") == 2
    assert "--save_label: the data set 'folder'" in capsys.readouterr().err


def test_int8_says_how_far_it_is_from_float32(photos, tmp_path, capsys):
    options = ("--data_dir", photos, "--detector", "none", "--jobs", 1, "--max_failures", 1, "--precision", "int8")
    assert run(*options, "--save_feature", tmp_path / "f.parquet") == 0
    assert "cosine distance to float32: mean 0.0" in capsys.readouterr().out
    assert run(*options, "--save_feature", tmp_path / "f.parquet", "--json") == 0
    assert json.loads(capsys.readouterr().out)["drift"]["n_faces"] == 3  # those of the first piece of the table
    assert read_table(tmp_path / "f.parquet").spec.embedder.precision == "int8"
