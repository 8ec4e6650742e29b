"""Fitted scores on disk: they come back as they were, and what someone changed is refused."""

import hashlib
import json

import numpy as np
import pytest
import safetensors.numpy

from faceheads.verification.comparisons import Comparisons
from faceheads.verification.rules import Request
from faceheads.verification.scores import score_file
from faceheads.verification.scores.faces import face_inputs
from faceheads.verification.scores.registry import SCORES, make_score, wants_quality
from faceheads.verification.scores.score_file import arrays_path
from faceheads.verification.threshold_file import ThresholdError, load_threshold, save_threshold
from faceheads.verification.threshold_tuning import tune_threshold
from tests.faceheads.verification.faces import faces_table, identities_of


@pytest.fixture(scope="module")
def tuned():
    table = faces_table(n_people=60)
    return Comparisons.from_identities(table, identities_of(table), "cosine", "made-up", 4000)


@pytest.fixture
def saved(tuned, tmp_path):
    return save(tuned, "plda", tmp_path / "t.json")


def save(tuned, name, path):
    score = make_score(name, "cosine")
    save_threshold(path, tune_threshold(tuned.cross_scored(score), None, Request("eer"), tuned.fitted(score)))
    return path


@pytest.mark.parametrize("name", SCORES)
def test_a_score_comes_back_as_it_was_written(tuned, tmp_path, name):
    file = load_threshold(save(tuned, name, tmp_path / "t.json"))
    assert file.score_name == name
    rows = np.arange(6)
    fitted = tuned.fitted(make_score(name, "cosine"))
    expected = fitted.score_rows(face_inputs(tuned.table, wants_quality(fitted)), rows, rows + 6)
    np.testing.assert_array_equal(file.similarities(tuned.table, rows, rows + 6), expected)


def rewrite(path, change=None, **arrays):
    """Change the JSON or the arrays, and let the sha256 fit."""
    values = json.loads(path.read_text())
    content = {**safetensors.numpy.load_file(arrays_path(path)), **arrays}
    data = safetensors.numpy.save({name: array for name, array in content.items() if array is not None})
    arrays_path(path).write_bytes(data)
    values["score"]["sha256"] = hashlib.sha256(data).hexdigest()
    if change is not None:
        change(values["score"])
    path.write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda score: score.update(type="pickle"), "a score is one of"),
        (lambda score: score.update(type="whitened"), "exactly the fields"),
        (lambda score: score.update(more=1), "exactly the fields"),
        (lambda score: score["parameters"].update(n_iterations="10"), "must be int"),
        (lambda score: score["parameters"].update(shrinkage=2.0), "must be in"),
        (lambda score: score.update(sha256="0" * 64), "not the file"),
    ],
)
def test_a_description_that_someone_changed_is_refused(saved, change, words):
    rewrite(saved, change)
    with pytest.raises(ThresholdError, match=words):
        load_threshold(saved)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"mean_": np.zeros(9)}, r"mean_ of the score must have the shape \(8,\); got \(9,\)"),
        ({"projection_": np.zeros((8, 8, 1))}, "must have the shape"),
        ({"projection_": np.zeros((8, 0)), "ratio_": np.zeros(0)}, "must have the shape"),
        ({"ratio_": np.full(8, np.nan)}, "finite"),
        ({"ratio_": np.arange(8)}, "finite numbers"),
        ({"ratio_": np.full(8, -1.0)}, "at least 0"),
        ({"ratio_": None}, "exactly the fields"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(saved, arrays, words):
    rewrite(saved, **arrays)
    with pytest.raises(ThresholdError, match=words):
        load_threshold(saved)


def test_a_file_of_arrays_that_is_too_large_is_refused(saved, monkeypatch):
    monkeypatch.setattr(score_file, "_MAX_BYTES", 100)
    with pytest.raises(ThresholdError, match="has more than 100 bytes"):
        load_threshold(saved)


def test_a_missing_or_damaged_file_of_arrays_is_refused(saved):
    values = json.loads(saved.read_text())
    arrays_path(saved).write_bytes(b"\xff" * 100)
    values["score"]["sha256"] = hashlib.sha256(b"\xff" * 100).hexdigest()
    saved.write_text(json.dumps(values))
    with pytest.raises(ThresholdError, match="is damaged"):
        load_threshold(saved)
    arrays_path(saved).unlink()
    with pytest.raises(ThresholdError, match="t.score.safetensors of its score must lie beside it"):
        load_threshold(saved)
