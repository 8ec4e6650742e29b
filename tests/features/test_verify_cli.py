"""The command verify.py, from files to files, and from two photos to an answer."""

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceheads.joining import parts_of_spec
from faceheads.labels import write_labels
from faceheads.table import Status
from faceheads.table_io import write_table
from faceheads.verification.comparisons import Comparisons
from faceheads.verification.threshold_file import load_threshold
from features import threshold_pipelines, verify_cli
from features.cli import verify_main
from features.face import Face
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig
from features.seen_image import ImageFaces
from tests.faceheads.verification.faces import faces_table, labels_of, pairs_of
from tests.tables import table_spec


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    table = faces_table(n_people=60, n_lost=2)
    write_table(folder / "feature.parquet", table)
    write_labels(folder / "labels.csv", labels_of(table))
    pairs_of(table, 400).to_csv(folder / "pairs.csv", index=False)
    run(folder, "--identity", "labels.csv", "--by", "fmr", "--fmr", "0.01", "--save_threshold", "t.json")
    return folder


def run(folder, *options):
    names = {"pairs.csv", "labels.csv", "t.json", "other.json", "report", "other.parquet"}
    resolved = [str(folder / option) if option in names else option for option in options]
    return verify_main(["--feature", str(folder / "feature.parquet"), *resolved])


def test_a_threshold_is_tuned_on_some_people_and_reported_on_the_others(files):
    file = load_threshold(files / "t.json")
    assert (file.metric, str(file.request)) == ("euclidean", "FMR of at most 0.01")  # the metric of the spec
    assert file.tuned_on.n_identities + file.reported_on.n_identities == 60
    assert file.tuned_on.acquisition.n_images_lost + file.reported_on.acquisition.n_images_lost == 2


def test_pairs_are_measured_and_reported(files, capsys):
    assert run(files, "--pairs", "pairs.csv", "--threshold", "t.json", "--report", "report", "--no_pictures") == 0
    assert "pairs.csv: 198 mated and 194 non-mated comparisons of 60 people" in capsys.readouterr().out
    values = json.loads((files / "report" / "verification.json").read_text())
    assert (
        values["source"] == "pairs.csv" and values["threshold"]["value"] == load_threshold(files / "t.json").threshold
    )
    assert not list((files / "report").glob("*.png"))


def test_a_list_in_any_form_is_read_by_the_names_of_its_columns(files, capsys):
    pairs = pairs_of(faces_table(n_people=60), 400)
    pairs.rename(columns={"probe": "one", "reference": "two", "is_mated": "same"}).to_csv(
        files / "any.csv", index=False
    )
    assert run(files, "--pairs", str(files / "any.csv"), "--pair_columns", "one,two,same") == 0
    assert "any.csv: 198 mated and 194 non-mated comparisons" in capsys.readouterr().out


def test_a_score_is_fitted_to_the_people_of_the_threshold_and_used_with_it(files, capsys, monkeypatch):
    options = ["--identity", "labels.csv", "--fmr", "0.01", "--score", "plda", "--save_threshold", "other.json"]
    calls, cross_scored = [], Comparisons.cross_scored
    monkeypatch.setattr(Comparisons, "cross_scored", lambda *args: calls.append(args) or cross_scored(*args))
    assert run(files, *options) == 0
    assert len(calls) == 1  # the threshold is found on scores by fits to others
    assert "similarity euclidean, score plda" in capsys.readouterr().out
    file = load_threshold(files / "other.json")
    assert file.score.name == "plda" and file.tuned_on.n_identities + file.reported_on.n_identities == 60
    assert run(files, "--pairs", "pairs.csv", "--threshold", "other.json", "--json") == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["score"], values["threshold"]["value"]) == ("plda", file.threshold)


def test_errors_are_told_by_cohort(files, capsys):
    labels = labels_of(faces_table(n_people=60, n_lost=2))
    labels["half"] = np.where(np.arange(len(labels)) < 120, "first", "second")
    write_labels(files / "halves.csv", labels[["half"]])
    options = ["--pairs", "pairs.csv", "--cohort", "half", "--label", str(files / "halves.csv"), "--json"]
    assert run(files, *options) == 0
    (column,) = json.loads(capsys.readouterr().out)["cohorts"]
    assert [one["n_identities"] for one in column["cohorts"]] == [30, 30]
    assert run(files, "--identity", "labels.csv", "--cohort", "race") == 2
    assert "--cohort must be a label column" in capsys.readouterr().err


def test_all_pairs_can_be_counted(files, capsys):
    assert run(files, "--identity", "labels.csv", "--max_pairs", "all", "--json") == 0
    everything = json.loads(capsys.readouterr().out)
    assert run(files, "--identity", "folder", "--max_pairs", "3000", "--json") == 0
    drawn = json.loads(capsys.readouterr().out)
    assert everything["n_mated"] + everything["n_non_mated"] == 238 * 237 // 2
    assert drawn["n_mated"] + drawn["n_non_mated"] <= 3000
    assert everything["eer"]["interpolated"]["value"] == pytest.approx(drawn["eer"]["interpolated"]["value"], abs=0.02)


def test_a_missing_matplotlib_is_told_before_the_work(files, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr("faceheads.verification.cli.read_table", None)
    assert run(files, "--pairs", "pairs.csv", "--report", "report") == 2
    assert "--no_pictures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--feature with --pairs or --identity"),
        (("--pairs", "pairs.csv", "--threshold", "t.json", "--save_threshold", "other.json"), "one of the two"),
        (("--pairs", "pairs.csv", "--save_threshold", "other.json", "--fmr", "1e-5"), "needs 300,000 non-mated"),
        (("--pairs", "pairs.csv", "--threshold", "t.json", "--metric", "cosine"), "one of euclidean similarities"),
        (("--identity", "labels.csv", "--identity_column", "who"), "must have a column 'who'"),
        (("--pairs", "pairs.csv", "--pair_columns", "probe,reference"), "must name three columns"),
        (("--pairs", "pairs.csv", "--pair_columns", "probe,reference,same"), "missing: ['same']"),
        (("--identity", "labels.csv", "--max_pairs", "many"), "--max_pairs must be"),
        (("--identity", "labels.csv", "--tune_pairs", "pairs.csv"), "--tune_pairs goes with --pairs"),
        (("--pairs", "pairs.csv", "--threshold", "pairs.csv"), "not a threshold file"),
        (("--pairs", "pairs.csv", "--score", "plda"), "--save_threshold"),
        (("--identity", "folder", "--gallery", "first", "--fuse", "x"), "leave it away with --gallery"),
        (("--identity", "folder", "--explain", "x"), "--explain is about two photos"),
        (("--identity", "folder", "--score", "plda", "--save_threshold", "x", "--max_pairs", "all"), "of the metric"),
    ],
)
def test_what_the_user_can_repair_is_one_line_and_exit_code_2(files, capsys, options, words):
    assert run(files, *options) == 2
    error = capsys.readouterr().err
    assert error.startswith("verify.py: ") and words in error and error.count("\n") == 1


def test_a_table_of_another_embedder_is_refused(files, capsys):
    write_table(files / "other.parquet", faces_table(n_people=5, spec=table_spec(8, detector="cnn")))
    options = ["--feature", str(files / "other.parquet"), "--identity", "folder", "--threshold", str(files / "t.json")]
    assert verify_main(options) == 0  # another detector is a note
    assert "tuned on faces found by hog" in capsys.readouterr().err
    values = json.loads((files / "t.json").read_text())
    values["spec"]["embedder"]["weights_sha256"] = "cd" * 32
    values["embedder_digest"] = "0" * 16
    (files / "other.json").write_text(json.dumps(values))
    assert run(files, "--pairs", "pairs.csv", "--threshold", "other.json") == 2
    assert "does not fit its embedder digest" in capsys.readouterr().err


def test_the_commands_of_the_readme_are_understood():
    lines = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [shlex.split(line)[2:] for line in lines if line.startswith("python verify.py")]
    parsed = [verify_cli.verification_parser().parse_args(command) for command in commands]
    assert [len(args.photos) for args in parsed] == [0, 2]
    assert parsed[0].save_threshold == parsed[1].threshold


class FakePipeline(FacePipeline):
    """Finds as many faces in a photo as its pixels say."""

    @property
    def table_spec(self):
        return table_spec(8, detector=self.config.detector)

    def find_faces(self, images):
        face = Face(np.array([0, 0, 9, 9]), 1.0, "hog", np.eye(5, 2), "dlib5")
        counts = [int(image[0, 0, 0]) for image in images]
        return [
            ImageFaces(Status.OK, "", n, [face], image[None, None]) if n else NONE for n, image in zip(counts, images)
        ]

    def embed(self, found):
        return [np.eye(8)[[0]] * (2 * one.n_faces - 1) if one.faces else None for one in found]


NONE = ImageFaces(Status.NO_FACE)


@pytest.fixture
def photos(files, tmp_path, monkeypatch):
    for name, n_faces in (("none", 0), ("one", 1), ("same", 1), ("two", 2)):
        Image.new("RGB", (9, 9), (n_faces,) * 3).save(tmp_path / f"{name}.png")
    monkeypatch.setattr(threshold_pipelines, "FacePipeline", FakePipeline)
    monkeypatch.setattr(threshold_pipelines, "config_of", lambda spec, args: PipelineConfig(detector=spec.detector))

    def compare(*names, threshold="t.json"):
        words = [str(tmp_path / name) if "." in name else name for name in names]
        return verify_main([*words, "--threshold", str(files / threshold), "--json"])

    return compare


def test_two_photos_are_a_match_or_not_by_exit_code_and_words(photos, capsys):
    assert photos("one.png", "same.png") == 0
    decision = json.loads(capsys.readouterr().out)
    assert (decision["answer"], decision["similarity"]) == ("match", 0.0)
    assert decision["probability"] > 0.9 and decision["fmr_is_bound"]
    assert photos("one.png", "two.png") == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["similarity"] == -2.0
    assert "two.png has 2 faces; the largest one is compared" in captured.err


def test_two_photos_go_through_the_pipelines_of_all_fused_tables(files, photos, capsys):
    table = faces_table(n_people=60, n_lost=2)
    write_table(files / "cnn.parquet", replace(table, spec=table_spec(8, detector="cnn")))
    options = ["--fuse", str(files / "cnn.parquet"), "--identity", "labels.csv", "--fmr", "0.01", "--metric", "cosine"]
    assert run(files, *options, "--save_threshold", str(files / "fused.json")) == 0
    file = load_threshold(files / "fused.json")
    assert [part.detector for part in parts_of_spec(file.spec)] == ["hog", "cnn"]
    capsys.readouterr()
    assert (
        photos("one.png", "two.png", threshold="fused.json") == 0
    )  # the lengths of vectors do not matter to the cosine
    assert json.loads(capsys.readouterr().out)["similarity"] == pytest.approx(1)
    assert photos("one.png", "two.png", "--detector", "hog", threshold="fused.json") == 2
    assert "leave --detector and --embedder away" in capsys.readouterr().err
    assert photos("one.png", "two.png", "--explain", "out", threshold="fused.json") == 2
    assert "this threshold is of 2 fused tables" in capsys.readouterr().err


def test_a_photo_without_a_face_is_no_decision(photos, capsys):
    assert photos("one.png", "none.png") == 2
    assert "none.png cannot be compared: no_face" in capsys.readouterr().err
    assert photos("one.png") == 2
    assert "give two photos" in capsys.readouterr().err


@pytest.mark.parametrize(("content", "reason"), [(b"text", "not an image"), (None, "missing file")])
def test_what_is_no_photo_is_no_decision_either(photos, capsys, tmp_path, content, reason):
    path = tmp_path / "broken.jpg"
    if content is not None:
        path.write_bytes(content)
    assert photos("broken.jpg", "broken.jpg") == 2
    assert f"broken.jpg cannot be compared: {reason}" in capsys.readouterr().err
