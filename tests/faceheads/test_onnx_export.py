"""Heads as ONNX: the same answers, what must be known beside them, and refusals."""

import json

import numpy as np
import pytest

from faceheads import heads, onnx_export
from faceheads.fitted_head import Head, default_thresholds
from faceheads.fitting import fit_head
from faceheads.headfile import HeadFile
from faceheads.heads import make_head
from faceheads.onnx_export import OnnxError, export_onnx
from faceheads.store import make_golden_inputs
from faceheads.targets import Target
from tests.tables import table_spec

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("skl2onnx")
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

X = np.random.default_rng(0).normal(1, 2, (150, 6)).astype(np.float32)
TARGETS = {
    "classification": Target("mood", "classification", ("mood",), ("a", "b", "c")),
    "regression": Target("age", "regression", ("age",), unit="years"),
    "multilabel": Target("attributes", "multilabel", ("Bald", "Hat", "Smiling"), (0, 1)),
}
LABELS = {
    "classification": np.digitize(X[:, 0], [0, 2]),
    "regression": 40 + 5 * X[:, 0],
    "multilabel": (X[:, :3] > 1).astype(int),
}


def head_file(*kinds_and_tasks):
    found = []
    for kind, task in kinds_and_tasks:
        estimator = make_head(kind, task, len(X), X.shape[1])
        fit_head(estimator, X, LABELS[task], np.arange(len(X)))
        found.append(Head(TARGETS[task], kind, estimator, thresholds=default_thresholds(TARGETS[task])))
    return HeadFile(tuple(found), table_spec(6), make_golden_inputs(X), {})


def answers(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"embedding": X})[0]


@pytest.mark.parametrize(
    ("kind", "task", "exact_rows"),
    [
        ("mlp", "classification", 20_000),
        ("svm", "classification", 20_000),
        ("svm", "classification", 10),
        ("linear_svm", "multilabel", 20_000),
        ("mlp", "multilabel", 20_000),
        ("svr", "regression", 10),
        ("distribution", "regression", 20_000),
    ],
)
def test_the_file_gives_the_answers_of_the_head(tmp_path, monkeypatch, kind, task, exact_rows):
    monkeypatch.setattr(heads, "EXACT_ROWS", exact_rows)
    monkeypatch.setattr(heads, "N_LANDMARKS", 40)
    monkeypatch.setattr(heads, "N_NETWORKS", 2)
    monkeypatch.setattr(heads, "MLP_MAX_EPOCHS", 5)
    file = head_file((kind, task))
    (path,) = export_onnx(tmp_path / "head.onnx", file, X)
    expected = file.heads[0].raw(X)
    assert answers(path) == pytest.approx(expected.reshape(len(X), -1), abs=1e-4 * np.ptp(expected))
    onnx.checker.check_model(onnx.load(path))


def test_what_must_be_known_is_in_the_metadata(tmp_path):
    file = head_file(("logistic", "classification"), ("ridge", "regression"))
    paths = export_onnx(tmp_path / "heads.onnx", file, X)
    assert [path.name for path in paths] == ["heads.mood.onnx", "heads.age.onnx"]
    mood, age = ({p.key: p.value for p in onnx.load(path).metadata_props} for path in paths)
    assert json.loads(mood["classes"]) == ["a", "b", "c"]
    assert (age["target"], age["unit"], age["kind"]) == ("age", "years", "ridge")
    assert mood["embedder_digest"] == file.table_spec.embedder_digest
    assert json.loads(mood["table_spec"]) == file.table_spec.to_json()


def test_boosted_trees_and_other_names_are_refused(tmp_path):
    with pytest.raises(OnnxError, match="hgb.* Use another head, such as mlp"):
        export_onnx(tmp_path / "head.onnx", head_file(("hgb", "regression")), X)
    with pytest.raises(OnnxError, match="must end in .onnx; got 'head.pb'"):
        export_onnx(tmp_path / "head.pb", head_file(("ridge", "regression")), X)
    assert not list(tmp_path.iterdir())


def test_a_file_that_answers_otherwise_is_not_written(tmp_path, monkeypatch):
    run = onnx_export._run
    monkeypatch.setattr(onnx_export, "_run", lambda model, inputs: run(model, inputs)[:, ::-1])
    with pytest.raises(OnnxError, match="'mood' differs by 0.* at most 0.0001"):
        export_onnx(tmp_path / "head.onnx", head_file(("logistic", "classification")), X)
    assert not list(tmp_path.iterdir())
