import numpy as np
import pandas as pd
import pytest

from faceheads.discovery.cli import discovery_main
from faceheads.discovery.examples import AGAINST, BORDERLINE, TYPICAL_NO, TYPICAL_YES
from faceheads.store import save_heads
from faceheads.table import FaceRow, FaceTable, Status
from faceheads.table_io import write_table
from faceheads.training import TrainingOptions, train_heads
from tests.tables import face_row, table_spec

N = 240


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table whose first two numbers show blond and glasses, a label file, and a head for each attribute."""
    folder = tmp_path_factory.mktemp("discovery")
    rng = np.random.default_rng(0)
    blond, glasses = rng.random((2, N)) < 0.4
    shown = np.stack([blond, glasses, blond ^ glasses], axis=1)
    rows = []
    for i in range(N):
        embedding = rng.standard_normal(8) * 0.3
        embedding[:3] += shown[i]
        rows.append(face_row(f"{i:03d}.jpg", rng, embedding=embedding))
    rows.append(FaceRow("none.jpg", "ab" * 32, Status.NO_FACE, image_hw=(9, 9)))
    table = FaceTable.from_rows(rows, 5, table_spec())
    write_table(folder / "t.parquet", table)
    labels = pd.DataFrame({"path": table.path, "blond": [*blond, 0], "glasses": [*glasses, 0]})
    labels = labels.astype({"blond": int, "glasses": int})
    labels["criterion"] = np.where([*(blond ^ glasses), False], 1, -1)
    labels["constant"] = 3
    labels.to_csv(folder / "t.label.csv", index=False)
    known = labels.set_index("path")[["blond", "glasses"]].iloc[:N]
    trained = train_heads(table[:N], known, TrainingOptions(("blond", "glasses"), head="logistic", n_resamples=10))
    save_heads(folder / "heads.skops", trained.file)
    return folder


def run(folder, *options):
    return discovery_main(["--feature", str(folder / "t.parquet"), *options])


def first_rule(text):
    lines = text.splitlines()
    return lines[next(i for i, line in enumerate(lines) if line.startswith("correlation")) + 1]


def test_the_rule_is_found_among_label_columns(folder, capsys):
    assert run(folder, "--criterion", "criterion", "--attributes", "blond,glasses") == 0
    text = capsys.readouterr().out
    assert first_rule(text).endswith("blond xor glasses")
    assert "1 images without a face" in text


def test_the_rule_is_found_from_what_heads_predict(folder, capsys):
    assert run(folder, "--criterion", "criterion", "--model", str(folder / "heads.skops")) == 0
    assert first_rule(capsys.readouterr().out).endswith("blond xor glasses")


def test_the_files_list_findings_and_the_faces_to_look_at(folder, tmp_path, capsys):
    options = ("--criterion", "criterion", "--attributes", "blond,glasses", "--save_dir", str(tmp_path / "out"))
    assert run(folder, *options) == 0
    findings = pd.read_csv(tmp_path / "out" / "findings.csv")
    assert findings["rule"][0] == "blond xor glasses"
    assert findings["correlation_low"][0] == findings["correlation"][0] == 1
    faces = pd.read_csv(tmp_path / "out" / "faces.csv")
    labels = pd.read_csv(folder / "t.label.csv").set_index("path")["criterion"] == 1
    assert (faces["criterion"] == labels[faces["path"]].to_numpy()).all()
    kinds = dict(list(faces.groupby("kind")))
    assert set(kinds) == {TYPICAL_YES, TYPICAL_NO, BORDERLINE}  # nothing contradicts the rule
    assert kinds[TYPICAL_YES]["criterion"].all()
    assert kinds[TYPICAL_YES]["probability"].is_monotonic_decreasing
    assert not kinds[TYPICAL_NO]["criterion"].any()
    distance = (kinds[BORDERLINE]["probability"] - 0.5).abs()
    assert distance.is_monotonic_increasing
    assert distance.max() < (kinds[TYPICAL_YES]["probability"] - 0.5).abs().min()


def test_faces_that_contradict_the_rule_are_listed(folder, tmp_path, capsys):
    labels = pd.read_csv(folder / "t.label.csv")
    labels.loc[[3, 5], "criterion"] *= -1
    labels.to_csv(tmp_path / "l.csv", index=False)
    options = ("--criterion", "criterion", "--attributes", "blond,glasses", "--label", str(tmp_path / "l.csv"))
    assert run(folder, *options, "--save_dir", str(tmp_path)) == 0
    faces = pd.read_csv(tmp_path / "faces.csv")
    assert sorted(faces.loc[faces["kind"] == AGAINST, "path"]) == ["003.jpg", "005.jpg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--criterion", "nothing"], "--criterion must be a label column; got 'nothing'"),
        (["--criterion", "constant"], "at least two different values to learn from; got [3]."),
        (["--criterion", "criterion", "--attributes", "nothing"], "nothing"),
        (["--criterion", "criterion", "--model", "nowhere.skops"], "nowhere.skops"),
    ],
)
def test_mistakes_are_explained_in_one_line(folder, capsys, options, message):
    assert run(folder, *options) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
