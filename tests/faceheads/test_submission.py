"""The challenge from end to end: a table of its images in, thresholds tuned for its score, one line an image out."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from faceheads.cli import train_main
from faceheads.headfile import HeadError
from faceheads.labels import write_labels
from faceheads.store import load_heads, save_heads
from faceheads.table import FaceRow, FaceTable, Status
from faceheads.table_io import read_table, write_table
from tests.tables import face_row, table_spec


@pytest.fixture
def challenge(tmp_path):
    """A feature table as extraction makes it of the challenge's folder, its labels, and ``test.txt`` in another order."""
    rng = np.random.default_rng(0)
    rows, labels = [], []
    for i in range(500):
        gender = ("female", "male")[i % 2]
        criterion = int(rng.random() < (0.15 if gender == "male" else 0.45))
        signal = np.zeros(8)
        signal[:2] = 1.5 * criterion, 3 * (gender == "male")
        part, number = ("train", i) if i < 400 else ("test", i - 400)
        path = f"{part}/{number:06d}.jpg"
        rows.append(face_row(path, rng, embedding=signal + rng.normal(size=8)))
        known = (criterion, gender) if part == "train" else (None, None)
        labels.append((path, *known, part, criterion))
    rows[410] = FaceRow("test/000010.jpg", rows[410].sha256, Status.NO_FACE, image_hw=(80, 80))
    write_table(tmp_path / "feature.parquet", FaceTable.from_rows(rows, 5, table_spec()))
    frame = pd.DataFrame(labels, columns=["path", "criterion", "gender", "split", "truth"]).set_index("path")
    write_labels(tmp_path / "feature.label.csv", frame.drop(columns="truth"))
    (tmp_path / "test.txt").write_text("".join(f"{number:06d}.jpg\n" for number in range(99, -1, -1)))
    return tmp_path, frame["truth"]


def run(folder, *options):
    base = ["--feature", str(folder / "feature.parquet"), "--save_model", str(folder / "heads.skops"), "--jobs", "1"]
    base += ["--target", "criterion", "--head", "logistic", "--data_dir", str(folder)]
    return train_main([*base, "--submission", str(folder / "submission.csv"), *options])


def test_one_command_trains_tunes_reports_and_writes_a_line_for_each_listed_image(challenge, capsys):
    folder, truth = challenge
    assert run(folder, "--tune_threshold", "mean_minus_gap", "--cohort", "gender") == 0
    text = capsys.readouterr().out
    for words in ("tuned for mean_minus_gap over 'gender'", "by gender", "gap", "price of mean - gap", "(100 lines)"):
        assert words in text
    lines = (folder / "submission.csv").read_text().splitlines()
    assert len(lines) == 100 and set(lines) == {"-1", "1"}
    listed = [f"test/{number:06d}.jpg" for number in range(99, -1, -1)]
    assert np.mean([(line == "1") == truth[path] for line, path in zip(lines, listed, strict=True)]) > 0.7
    heads = load_heads(folder / "heads.skops")
    (head,) = heads.heads
    assert head.thresholds != (0.5,)
    assert head.thresholds_from.startswith("mean_minus_gap over 'gender' (a gap up to")
    table = read_table(folder / "feature.parquet")
    rows = [int(np.flatnonzero(table.path == path)[0]) for path in listed]
    (prediction,) = heads.predict(table.embedding[[r for r in rows if table.has_embedding[r]]], table.spec)
    assert (prediction.probabilities[:, 1] >= head.thresholds[0]).tolist() == (prediction.value == 1).tolist()
    decided = dict(zip([path for path in listed if path != "test/000010.jpg"], prediction.value, strict=True))
    assert lines == ["1" if decided.get(path, 0) == 1 else "-1" for path in listed]  # no face: the frequent class


def test_each_gender_gets_a_threshold_and_is_predicted_where_it_is_not_known(challenge, capsys):
    folder, _ = challenge
    options = ("--target", "gender", "--cohort", "gender", "--tune_threshold", "mean_minus_gap", "--per_cohort")
    assert run(folder, *options) == 0
    assert "gender is predicted, rightly for " in capsys.readouterr().out
    heads = load_heads(folder / "heads.skops")
    criterion, gender = heads.heads
    assert criterion.by_cohort.target == "gender" and gender.by_cohort is None and gender.thresholds == (0.5,)
    table = read_table(folder / "feature.parquet").usable
    female, male = criterion.by_cohort.values
    assert female != male
    limits = gender.raw(table.embedding) @ [female, male]
    prediction, _ = heads.predict(table.embedding, table.spec)
    expected = criterion.raw(table.embedding)[:, 1] >= limits
    assert (prediction.value == 1).tolist() == expected.tolist()
    by_path = dict(zip(table.path, expected, strict=True))
    listed = [f"test/{number:06d}.jpg" for number in range(99, -1, -1)]
    lines = (folder / "submission.csv").read_text().splitlines()
    assert lines == ["1" if by_path.get(path, False) else "-1" for path in listed]
    assert heads.select(["criterion"]).targets == ("criterion", "gender")  # its decisions need the other
    assert heads.select(["gender"]).targets == ("gender",)
    measured = criterion.report.metrics["accuracy"].value
    split = pd.read_csv(folder / "heads.split.csv").set_index("path")["part"]
    labels = pd.read_csv(folder / "feature.label.csv").set_index("path")["criterion"]
    tested = [path for path in split.index[split == "test"] if path.startswith("train/")]
    assert measured == np.mean([by_path[path] == labels[path] for path in tested])


@pytest.mark.parametrize("change", [{"target": "age"}, {"target": "criterion"}, {"values": (0.5,)}])
def test_thresholds_by_cohorts_that_no_head_predicts_are_refused(challenge, change):
    folder, _ = challenge
    run(folder, "--target", "gender", "--cohort", "gender", "--tune_threshold", "minimum", "--per_cohort")
    heads = load_heads(folder / "heads.skops")
    criterion, gender = heads.heads
    wrong = replace(criterion, by_cohort=replace(criterion.by_cohort, **change))
    save_heads(folder / "wrong.skops", replace(heads, heads=(wrong, gender)))
    with pytest.raises(HeadError, match="'criterion' has thresholds by '.*' that do not fit"):
        load_heads(folder / "wrong.skops")


def test_the_summary_as_json_says_how_the_threshold_was_found_and_where_the_submission_is(challenge, capsys):
    folder, _ = challenge
    assert run(folder, "--tune_threshold", "f1", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    (head,) = summary["heads"]
    assert head["thresholds_from"].startswith("f1, on out-of-fold probabilities of ")
    assert summary["submission"] == str(folder / "submission.csv")


@pytest.mark.parametrize(
    ("options", "change", "words"),
    [
        (["--tune_threshold", "minimum"], None, "minimum compares cohorts: name their label column with --cohort"),
        (["--target", "gender"], None, "A submission needs one head for two classes; got ['criterion', 'gender']"),
        (["--per_cohort"], None, "--per_cohort needs --tune_threshold"),
        (["--tune_threshold", "f1", "--per_cohort", "--cohort", "gender"], None, "'gender' must be both the first"),
        ([], "000100.jpg\n", "1 of 101 listed images are not in the feature table, for example ['test/000100.jpg']"),
        ([], "000000.jpg\n", "must name each image once"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(challenge, capsys, options, change, words):
    folder, _ = challenge
    if change is not None:
        (folder / "test.txt").write_text((folder / "test.txt").read_text() + change)
    assert run(folder, *options) == 2
    assert words in capsys.readouterr().err
    assert not (folder / "submission.csv").exists()


def test_a_submission_needs_the_folder_of_the_challenge(challenge, capsys):
    folder, _ = challenge
    options = ["--feature", str(folder / "feature.parquet"), "--save_model", str(folder / "heads.skops")]
    assert train_main([*options, "--submission", str(folder / "submission.csv")]) == 2
    assert "--submission needs --data_dir" in capsys.readouterr().err


@pytest.fixture
def facecom(tmp_path):
    """FACECOM's Task A: empty photos, and a table in which gender shows, one photo of val without a face."""
    rng, rows = np.random.default_rng(0), []
    for i in range(120):
        part, gender = ("val" if i % 6 == 0 else "train"), ("female", "male")[i % 4 == 0]
        path = f"{part}/{gender}/{i:03d}.jpg"
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / path).touch()
        signal = np.full(8, 2.0 if gender == "male" else -2.0)
        rows.append(face_row(path, rng, embedding=signal + rng.normal(size=8)))
    rows[0] = FaceRow(rows[0].path, rows[0].sha256, Status.NO_FACE, image_hw=(80, 80))
    write_table(tmp_path / "feature.parquet", FaceTable.from_rows(rows, 5, table_spec()))
    columns = {"gender": [r.path.split("/")[1] for r in rows], "split": [r.path.split("/")[0] for r in rows]}
    write_labels(
        tmp_path / "feature.label.csv", pd.DataFrame(columns, index=pd.Index([r.path for r in rows], name="path"))
    )
    return tmp_path


def train_on_facecom(folder, *options):
    paths = (
        "--feature",
        folder / "feature.parquet",
        "--save_model",
        folder / "heads.skops",
        "--data_dir",
        folder / "data",
    )
    more = ("--target", "gender", "--head", "logistic", "--jobs", 1, "--submission", folder / "s.csv")
    return train_main([str(option) for option in (*paths, *more, *options)])


def test_facecoms_part_val_is_decided_by_a_head_that_never_saw_it(facecom, capsys):
    assert train_on_facecom(facecom, "--json") == 0
    found = pd.read_csv(facecom / "s.csv")
    assert list(found.columns) == ["path", "true", "pred"] and len(found) == 20
    assert (found["true"] == found["path"].str.split("/").str[1]).all()
    wrong = found[found["true"] != found["pred"]]
    assert list(wrong["path"]) == ["val/male/000.jpg"]  # without a face: the most frequent class of training
    split = pd.read_csv(facecom / "heads.split.csv", index_col=0)
    assert set(split.index[split.iloc[:, -1] == "train"].str.split("/").str[0]) == {"train"}


def test_training_on_what_facecom_scores_is_refused(facecom, capsys):
    assert train_on_facecom(facecom, "--split", "random") == 2
    assert "would train on the images that FACECOM scores" in capsys.readouterr().err
