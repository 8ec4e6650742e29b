"""Labels that do not fit their faces: what is found, and ``verify.py --clean`` from files to files."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from faceheads.identification.cleaning import CleaningThresholds, find_suspects
from faceheads.identification.thresholds import default_threshold_path
from faceheads.labels import read_labels, write_labels
from faceheads.table import FaceRow, FaceTable, Status
from faceheads.table_io import write_table
from faceheads.verification.threshold_file import load_threshold, save_threshold
from features.cli import verify_main
from tests.tables import face_row, table_spec

THRESHOLDS = CleaningThresholds(own=0.8, other=0.95, same=0.98)
A, B, C, D = np.eye(4)
PHOTOS = {
    "a/0.jpg": A, "a/1.jpg": A + 0.1 * B, "a/2.jpg": A - 0.1 * B, "a/3.jpg": B, "a/4.jpg": None,
    "b/0.jpg": B, "b/1.jpg": B + 0.1 * C, "b/2.jpg": B, "b/3.jpg": D, "b/4.jpg": D + 0.1 * A,
    "c/0.jpg": C, "c/1.jpg": D,
    "d/0.jpg": A + 0.02 * D,
}  # fmt: skip


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    rows = [
        FaceRow(path, rng.bytes(32).hex(), Status.NO_FACE, image_hw=(9, 9))
        if vector is None
        else face_row(path, rng, 4, embedding=vector)
        for path, vector in PHOTOS.items()
    ]
    return FaceTable.from_rows(rows, 5, table_spec(4))


def people(table):
    return np.array([path[0] for path in table.path], dtype=object)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_photos_unlike_their_person_are_suspects_with_a_reason_and_maybe_another_person(table, metric):
    thresholds = THRESHOLDS if metric == "cosine" else CleaningThresholds(-0.6, -0.3, -0.15)
    found = find_suspects(table, people(table), metric, thresholds)
    reasons = {path: reason for path, reason in zip(table.path, found.reason, strict=True) if reason}
    assert reasons == {
        "a/3.jpg": "not like the 3 others",
        "a/4.jpg": "not judged: no face",
        "b/3.jpg": "not like the 3 others; one of 2 that are alike, a second person?",
        "b/4.jpg": "not like the 3 others; one of 2 that are alike, a second person?",
        "c/0.jpg": "no majority: 2 groups of 1 that are not alike",
        "c/1.jpg": "no majority: 2 groups of 1 that are not alike",
    }
    assert list(table.path[found.is_suspect]) == [path for path in reasons if path != "a/4.jpg"]
    assert dict(zip(table.path, found.suggested, strict=True))["a/3.jpg"] == "b"
    assert set(found.suggested) == {"", "b"}
    assert [pair[:2] for pair in found.same] == [("a", "d")]


def test_the_similarity_is_the_mean_to_the_others_of_the_group(table):
    found = find_suspects(table, people(table), "cosine", THRESHOLDS)
    cosines = [(A + 0.1 * B) @ v / np.linalg.norm(A + 0.1 * B) / np.linalg.norm(v) for v in (A, A - 0.1 * B)]
    assert found.similarity[1] == pytest.approx(np.mean(cosines))
    assert np.isnan(found.similarity[-1])  # alone


def test_fakes_and_images_of_nobody_are_not_judged(table):
    is_fake = table.path == "a/3.jpg"
    person = people(table)
    person[table.path == "c/0.jpg"] = ""
    found = find_suspects(table, person, "cosine", THRESHOLDS, is_fake)
    assert found.reason[3] == "not judged: a fake" and not found.is_suspect[3]
    assert not found.is_suspect[-3:].any()


@pytest.fixture
def files(tmp_path, table):
    write_table(tmp_path / "f.parquet", table)
    file = load_threshold(default_threshold_path())
    save_threshold(tmp_path / "t.json", replace(file, spec=table.spec))
    labels = pd.DataFrame({"who": people(table), "mood": "good"}, index=pd.Index(table.path, name="path"))
    write_labels(tmp_path / "l.csv", labels)
    return tmp_path


def run(folder, *options):
    table, threshold = folder / "f.parquet", folder / "t.json"
    return verify_main([str(o) for o in ("--feature", table, "--threshold", threshold, *options)])


def test_the_labels_are_written_with_columns_more_and_nothing_less(files, capsys):
    options = ("--identity", files / "l.csv", "--identity_column", "who", "--clean", files / "c.csv", "--json")
    assert run(files, *options, "--report", files / "r") == 0
    cleaned = read_labels(files / "c.csv")
    assert list(cleaned.index) == sorted(PHOTOS) and set(cleaned["mood"]) == {"good"}
    told = json.loads(capsys.readouterr().out)
    assert cleaned["suspect"].sum() == told["suspects"] == 5
    assert list(pd.read_csv(files / "c.same.csv")["other"]) == ["d"]
    page = (files / "r" / "suspects.html").read_text(encoding="utf-8")
    assert "b/3.jpg" in page and "a second person?" in page
    again = ("--identity", files / "c.csv", "--identity_column", "who", "--clean", files / "d.csv")
    assert run(files, *again) == 0  # columns of an earlier run are replaced
    assert (files / "d.csv").read_text() == (files / "c.csv").read_text()


def test_the_labels_themselves_are_never_replaced(files, capsys):
    assert run(files, "--identity", files / "l.csv", "--clean", files / "l.csv") == 2
    assert "would replace the labels" in capsys.readouterr().err
