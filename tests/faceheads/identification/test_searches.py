"""``verify.py --gallery``, from files to files."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from faceheads.labels import write_labels
from faceheads.table import FaceRow, FaceTable, Status
from faceheads.table_io import write_table
from faceheads.verification.threshold_file import load_threshold
from features.cli import verify_main
from tests.faceheads.verification.faces import faces_table, identities_of
from tests.tables import face_row, table_spec


def run(folder, *options):
    return verify_main([str(o) for o in ("--feature", folder / "f.parquet", "--identity", folder / "l.csv", *options)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """60 people of four photos, some lost, half of them strangers in the gallery of clean photos."""
    folder = tmp_path_factory.mktemp("searches")
    table = faces_table(n_people=60, n_photos=4, n_lost=6, noise=0.5)
    kind = np.where(
        np.arange(len(table)) % 4 == 0, "clean", np.where(np.arange(len(table)) % 4 == 1, "foggy", "noisy")
    )
    kind[120::4] = "other"
    write_table(folder / "f.parquet", table)
    labels = pd.DataFrame({"identity": identities_of(table), "kind": kind}, index=pd.Index(table.path, name="path"))
    write_labels(folder / "l.csv", labels)
    return folder


def measured(folder, capsys, *options):
    assert run(folder, "--json", *options) == 0
    return json.loads(capsys.readouterr().out)


def test_rates_are_those_of_plain_loops_and_lost_images_are_misses(capsys, tmp_path):
    rng = np.random.default_rng(0)
    vectors = {"a/0": [1, 0], "a/1": [1, 0.1], "b/0": [0, 1], "b/1": [1, 0.2], "c/0": None, "c/1": [0.5, 0.5]}
    vectors |= {"d/0": [1, 1], "a/2": None}
    rows = [
        FaceRow(f"{name}.jpg", "ab" * 32, Status.NO_FACE, image_hw=(9, 9))
        if vector is None
        else face_row(f"{name}.jpg", rng, 2, embedding=np.array(vector), sha256=rng.bytes(32).hex())
        for name, vector in vectors.items()
    ]
    write_table(tmp_path / "f.parquet", FaceTable.from_rows(rows, 5, table_spec(2)))
    write_labels(
        tmp_path / "l.csv",
        pd.DataFrame(
            {"identity": [n[0] for n in vectors]}, index=pd.Index([f"{n}.jpg" for n in vectors], name="path")
        ),
    )
    values = measured(tmp_path, capsys, "--gallery", "first", "--metric", "cosine")
    # searches for enrolled people: a/1 right, b/1 wrong, c/1 never enrolled, a/2 without a face; d is a stranger
    assert (values["n_mated"], values["n_non_mated"]) == (4, 1)
    assert [rank["value"] for rank in values["ranks"]] == [0.25, 0.5, 0.5]
    assert values["gallery"] | {"status_counts": 0} == {
        "n_people": 3, "n_images": 3, "n_without_face": 1, "status_counts": 0
    }  # fmt: skip
    assert values["probes"]["n_without_face"] == 1


def test_a_label_chooses_the_gallery_and_another_tells_rates_apart(folder, capsys):
    values = measured(folder, capsys, "--gallery", "kind=clean", "--probe_kind", "kind")
    assert (values["gallery"]["n_people"], values["probes"]["n_people"]) == (30, 60)
    assert {kind["kind"]: kind["n_probes"] for kind in values["kinds"]} == {"foggy": 60, "other": 30, "noisy": 120}
    assert values["operating_points"][1]["fnir"]["value"] is None  # 120 searches cannot speak of an FPIR of 1 %
    assert "needs 300 searches" in values["operating_points"][1]["fnir"]["note"]


def test_a_threshold_is_tuned_on_other_people_and_kept_with_its_errors(folder, capsys, tmp_path):
    options = ("--gallery", "kind=clean", "--save_threshold", tmp_path / "t.json", "--fpir", "0.3")
    values = measured(folder, capsys, *options, "--report", tmp_path / "r", "--no_pictures")
    file = load_threshold(tmp_path / "t.json")
    assert file.tuned_on.n_identities + file.reported_on.n_identities == 59  # one was lost in all four photos
    n_enrolled = values["gallery"]["n_images"] - values["gallery"]["n_without_face"]
    assert file.request.fmr == pytest.approx(0.3 / n_enrolled)
    assert values["threshold"]["value"] == file.threshold
    assert 0 < values["threshold"]["macro_f1"]["value"] < 1
    answers = pd.read_csv(tmp_path / "r" / "searches.csv", keep_default_na=False)
    assert len(answers) == values["probes"]["n_images"]
    assert (answers["answer"] != "").mean() < 1 and set(answers["answer"]) - {""} <= set(answers["found"])
    again = measured(folder, capsys, "--gallery", "first", "--threshold", tmp_path / "t.json", "--fpir", "0.9")
    assert again["threshold"]["value"] < file.threshold


def test_a_table_is_a_gallery_and_one_of_another_network_is_refused(folder, capsys, tmp_path):
    table = faces_table(n_people=60)
    write_table(tmp_path / "g.parquet", table[::4])
    assert measured(folder, capsys, "--gallery", tmp_path / "g.parquet")["gallery"]["n_people"] == 60
    other = replace(table_spec().embedder, weights_sha256="cd" * 32)
    write_table(tmp_path / "g.parquet", faces_table(n_people=2, spec=replace(table_spec(), embedder=other)))
    assert run(folder, "--gallery", tmp_path / "g.parquet") == 2
    assert "embeddings of one network" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--gallery", "kind=no"), "no image has the value 'no'"),
        (("--gallery", "mood=good"), "must have a column 'mood'"),
        (("--gallery", "first", "--threshold", "t", "--save_threshold", "t"), "give one of the two"),
    ],
)
def test_wrong_use_is_one_sentence(folder, capsys, options, message):
    assert run(folder, *options) == 2
    assert message in capsys.readouterr().err
