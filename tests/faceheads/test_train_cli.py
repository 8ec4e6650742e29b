"""The command train.py, from files to files."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from faceheads.cli import train_main
from faceheads.labels import write_labels
from faceheads.metrics import cohorts
from faceheads.store import load_heads
from faceheads.table_io import read_table, write_table
from features.pipeline_config import PipelineConfig
from tests.faceheads.people import people_table


@pytest.fixture
def files(tmp_path):
    table, labels = people_table()
    write_table(tmp_path / "feature.parquet", table)
    write_labels(tmp_path / "feature.label.csv", labels)
    return tmp_path


def run(files, *options, model="heads.skops", feature="feature.parquet"):
    base = ["--feature", str(files / feature), "--save_model", str(files / model), "--head", "logistic", "--jobs", "1"]
    return train_main([*base, *options])


def test_heads_split_and_summary_are_written(files, capsys):
    assert run(files) == 0
    heads = load_heads(files / "heads.skops")
    assert heads.targets == ("gender", "age", "glasses", "mood")
    table = read_table(files / "feature.parquet").usable
    gender, *_ = heads.predict(table.embedding, table.spec)
    assert set(gender.value) == {"female", "male"}
    split = pd.read_csv(files / "heads.split.csv")
    assert list(split.columns) == ["path", "sha256", "group", "part"]
    assert len(split) == 240
    text = capsys.readouterr().out
    for words in ("balanced accuracy", "most frequent class", "mean absolute error", "within 5 years", "none in both"):
        assert words in text
    assert "its name says age" in text


def test_a_split_file_gives_the_same_heads_again(files):
    run(files, model="first.skops")
    run(files, "--split", str(files / "first.split.csv"), "--seed", "0", model="second.skops")
    first, second = load_heads(files / "first.skops"), load_heads(files / "second.skops")
    for one, other in zip(first.heads, second.heads, strict=True):
        assert np.array_equal(one.raw(first.golden_inputs), other.raw(first.golden_inputs))
    assert (files / "first.split.csv").read_bytes() == (files / "second.split.csv").read_bytes()


def test_two_runs_write_equal_files(files):
    run(files, model="first.skops")
    run(files, model="second.skops")
    assert (files / "first.skops").read_bytes() == (files / "second.skops").read_bytes()


def test_the_summary_as_json_has_every_number(files, capsys):
    assert run(files, "--json", "--target", "gender", "--target", "age", "--head", "age=svr") == 0
    summary = json.loads(capsys.readouterr().out)
    gender, age = summary["heads"]
    assert (gender["name"], gender["kind"], age["kind"]) == ("gender", "logistic", "svr")
    assert set(gender["metrics"]["accuracy"]) == {"value", "low", "high", "note"}
    assert gender["baseline"]["roc_auc"]["value"] == 0.5
    assert summary["training"]["n_test"] > 0
    assert summary["model"].endswith("heads.skops")


def test_a_task_can_be_overridden(files, capsys):
    assert run(files, "--target", "glasses", "--target", "mood", "--task", "glasses=regression") == 0
    assert "glasses: a number, ridge (asked for)" in capsys.readouterr().out


def test_attributes_are_listed_one_by_one(files, capsys):
    labels = pd.DataFrame({"Male": [0, 1] * 120, "Bald": [0, 0, 1] * 80}, index=sorted(people_table()[0].path))
    write_labels(files / "attributes.csv", labels.rename_axis("path"))
    assert run(files, "--label", str(files / "attributes.csv"), "--groups", "folder") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:1] == ["Bald"] for line in lines)
    assert any("2 attributes, means below" in line for line in lines)


def test_a_csv_of_the_original_scripts_trains_and_says_how_persons_are_kept_together(files, capsys):
    table, labels = people_table(n_without_face=0)
    order = np.argsort(table.path)
    pd.DataFrame(table.embedding[order], index=table.path[order]).to_csv(files / "feature.csv")
    pd.DataFrame({"Male": (labels["gender"] == "male") * 1.0, "Bald": labels["glasses"] * 1.0}).sort_index().to_csv(
        files / "label.csv"
    )
    assert run(files, "--label", str(files / "label.csv"), feature="feature.csv", model="face_model.pkl") == 0
    captured = capsys.readouterr()
    assert "the first folder of the path" in captured.out
    assert "reading it back takes --trust" in captured.err
    assert load_heads(files / "face_model.pkl", trust=True).table_spec is None


def test_labels_of_other_images_are_an_error_with_examples_in_one_line(files, capsys):
    labels = people_table()[1]
    write_labels(files / "other.csv", labels.rename(index=lambda key: f"elsewhere/{key}"))
    assert run(files, "--label", str(files / "other.csv")) == 2
    error = capsys.readouterr().err
    assert error.startswith("train.py: 238 of 238 rows of the feature table have no label")
    assert "elsewhere/Person_000" in error
    assert error.count("\n") == 1
    assert not (files / "heads.skops").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--feature", "nowhere.parquet"), "no feature table at nowhere.parquet"),
        (("--label", "nowhere.csv"), "no label file at nowhere.csv"),
        (("--target", "height"), "no label column ['height']"),
        (("--head", "forest"), "got 'forest'"),
        (("--task", "ranking"), "got 'ranking'"),
        (("--save_model", "heads.h5"), "must end in .skops, .pkl, .joblib"),
        (("--split", "nowhere.csv"), "there is no file nowhere.csv"),
        (("--test_size", "2"), "got 2.0"),
        (("--groups", "height"), "got 'height'"),
    ],
)
def test_what_the_user_can_repair_is_one_line_and_exit_code_2(files, capsys, options, words):
    assert run(files, *options) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert error.count("\n") == 1


def test_help_names_the_defaults(capsys):
    with pytest.raises(SystemExit, match="0"):
        train_main(["--help"])
    text = capsys.readouterr().out
    for words in ("default: feature.parquet", "default: face_model.skops", "logistic, ridge, mlp, linear_svm"):
        assert words in " ".join(text.split())


def test_cohorts_of_the_test_part_are_printed_and_small_ones_named(files, capsys, monkeypatch):
    monkeypatch.setattr(cohorts, "MIN_ROWS", 10)
    monkeypatch.setattr(cohorts, "MIN_GROUPS", 3)
    options = ("--target", "gender", "--target", "age", "--cohort", "gender", "--cohort", "mood", "--seed", "1")
    assert run(files, *options) == 0
    age = capsys.readouterr().out.split("\nage:")[1]
    assert age.index("by gender") < age.index("by mood") < age.index("by gender × mood")
    for words in ("female ", "mean ± gap", "(+) ", "female − male", "not shown: fewer than 10 rows or 3 groups: "):
        assert words in age
    assert run(files, *options, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    (by_gender, *_) = summary["heads"][1]["cohorts"]
    parts = pd.read_csv(files / "heads.split.csv", index_col="path")["part"]
    tested = people_table()[1].loc[parts[parts == "test"].index]
    assert [(c["name"], c["n_rows"]) for c in by_gender["cohorts"]] == [
        (name, int((tested["gender"] == name).sum())) for name in ("female", "male")
    ]
    assert summary["heads"][0]["cohorts"][0]["cohorts"][0]["metrics"]["accuracy"]["value"] > 0.9


def test_a_cohort_that_does_not_exist_is_an_error(files, capsys):
    assert run(files, "--cohort", "light") == 2
    assert "--cohort must be a label column" in capsys.readouterr().err


def test_a_search_is_printed_and_kept_in_the_file(files, capsys):
    assert run(files, "--tune", "--target", "gender", "--target", "age") == 0
    text = capsys.readouterr().out
    assert text.count("by nested cross-validation") == 2
    for head in load_heads(files / "heads.skops").heads:
        assert head.found.n_candidates > 1
        assert dict(head.found.settings) == dict(head.settings)
        assert all(np.isfinite(list(head.settings.values())))


def test_weights_are_told_and_make_classes_count_equally(files, capsys):
    assert run(files, "--class_weight", "balanced", "--reweigh", "gender", "--target", "glasses", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["training"]["class_weight"], summary["training"]["reweigh"]) == ("balanced", "gender")
    assert any("independent of gender" in remark for remark in summary["remarks"])
    weighted = load_heads(files / "heads.skops")
    run(files, "--target", "glasses", model="plain.skops")
    plain = load_heads(files / "plain.skops")
    inputs = plain.golden_inputs
    assert (weighted.heads[0].raw(inputs)[:, 1] > plain.heads[0].raw(inputs)[:, 1]).all()  # glasses are rare


def test_tables_of_two_embedders_are_joined(files, capsys):
    table = read_table(files / "feature.parquet")
    other = table.spec.with_embedder(dataclasses.replace(table.spec.embedder, network="facenet"))
    write_table(files / "second.parquet", dataclasses.replace(table, spec=other))
    assert run(files, "--feature", str(files / "second.parquet"), "--target", "gender") == 0
    text = capsys.readouterr().out
    assert f"vectors of 2 embedders, joined: dlib (8 numbers, {table.spec.embedder_digest}), facenet" in text
    heads = load_heads(files / "heads.skops")
    assert heads.dimension == 16
    with pytest.raises(ValueError, match="feature1.parquet .*join_tables"):
        PipelineConfig.from_spec(heads.table_spec)
    assert run(files, "--feature", str(files / "nowhere.parquet")) == 2


def test_heads_are_exported_as_onnx(files, capsys):
    pytest.importorskip("skl2onnx")
    path = files / "heads.onnx"
    assert run(files, "--export_onnx", str(path), "--target", "gender", "--target", "age", "--json") == 0
    written = json.loads(capsys.readouterr().out)["onnx"]
    assert written == [str(files / "heads.gender.onnx"), str(files / "heads.age.onnx")]
    assert all((files / name).stat().st_size for name in written)
    assert run(files, "--export_onnx", str(path), "--head", "age=hgb") == 2
    assert "hgb" in capsys.readouterr().err
