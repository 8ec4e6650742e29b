"""The search for settings: it finds better ones, never looks where it must not, and says what may be expected."""

import numpy as np
import pytest

from faceheads import search
from faceheads.head_settings import candidates, complete
from faceheads.labels import LabelError
from faceheads.search import Learner, search_settings
from faceheads.search_result import Found, found_line
from faceheads.training_rows import TrainingRows

LOGISTIC = Learner("logistic", "classification")


def rows_of(n_groups=100, dimension=60, noise=1.0, seed=0):
    """Two classes that one of many directions tells apart, two rows a group: strong penalties are best."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), 2)
    y = rng.integers(0, 2, n_groups)[groups]
    X = rng.normal(size=(len(y), dimension)).astype(np.float32)
    X[:, 0] += 2 * y * noise
    return TrainingRows(X, y, groups)


def test_the_best_candidate_of_a_cross_validation_is_chosen():
    rows = rows_of()
    found = search_settings(LOGISTIC, rows, 50)
    losses = search._cross_validate(LOGISTIC, candidates("logistic"), rows)
    assert dict(found.settings) == candidates("logistic")[int(losses.argmin())]
    assert found.winning == pytest.approx(1 - losses.min())
    assert found.expected.low < found.expected.value < found.expected.high
    assert found.n_candidates == len(candidates("logistic"))


def test_of_equal_candidates_the_default_is_kept(monkeypatch):
    monkeypatch.setattr(Learner, "losses", lambda self, settings, rows, train, test: np.ones(len(test)))
    assert dict(search_settings(LOGISTIC, rows_of(), 50).settings) == complete("logistic", None)


def test_no_group_is_learned_from_and_asked_and_the_outer_part_has_no_say(monkeypatch):
    """Rows are told apart by their first number, their position."""
    rows = rows_of()
    rows.X[:, 0] = np.arange(len(rows))
    seen = []

    def losses(self, settings, part, train, test):
        assert not set(part.groups[train]) & set(part.groups[test])
        seen.append((set(part.X[train, 0]), set(part.X[test, 0])))
        return np.zeros(len(test))

    monkeypatch.setattr(Learner, "losses", losses)
    search_settings(LOGISTIC, rows, 50)
    per_search = len(candidates("logistic")) * search.N_INNER_FOLDS
    for fold in range(search.N_OUTER_FOLDS):
        *inner, (learned, asked) = seen[fold * (per_search + 1) : (fold + 1) * (per_search + 1)]
        for train, test in inner:
            assert train | test == learned
            assert not (train | test) & asked
    assert len(seen) == search.N_OUTER_FOLDS * (per_search + 1) + per_search


def test_the_expected_figure_of_noise_is_that_of_guessing():
    """The winner of many guesses looks better than guessing; nested cross-validation does not."""
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 300)
    noise = TrainingRows(rng.normal(size=(300, 5)).astype(np.float32), y, np.arange(300))
    found = search_settings(LOGISTIC, noise, 200)
    assert found.expected.low < 0.5 < found.expected.high


def test_large_tables_are_searched_in_two_rounds(monkeypatch):
    monkeypatch.setattr(search, "HALVING_ROWS", 100)
    sizes = []
    cross_validate = search._cross_validate

    def record(learner, tried, rows):
        sizes.append((len(tried), len(rows)))
        return cross_validate(learner, tried, rows)

    monkeypatch.setattr(search, "_cross_validate", record)
    search._best(LOGISTIC, rows_of(n_groups=400))
    assert sizes == [(len(candidates("logistic")), 200), (search.N_FINALISTS, 800)]


def test_numbers_and_weights_are_searched_with():
    rows = rows_of()
    numbers = TrainingRows(rows.X, rows.X[:, 0].astype(float), rows.groups, weights=(rows.y == 1).astype(float))
    found = search_settings(Learner("ridge", "regression"), numbers, 50)
    assert found.metric == "weighted mae"
    assert 0 < found.expected.value < 0.6
    assert "expected weighted mean absolute error" in found_line(found, "ridge", "years")


def test_rows_count_by_their_weight_in_what_is_compared(monkeypatch):
    rows = rows_of()
    rows.X[:, 0] = rows.y
    monkeypatch.setattr(Learner, "losses", lambda self, settings, part, train, test: part.X[test, 0].astype(float))
    weighted = TrainingRows(rows.X, rows.y, rows.groups, weights=np.where(rows.y == 1, 3.0, 1.0))
    expected = 3 * rows.y.sum() / (3 * rows.y.sum() + (rows.y == 0).sum())
    assert search._cross_validate(LOGISTIC, [{}], weighted) == pytest.approx([expected])
    found = search_settings(LOGISTIC, weighted, 50)
    assert found.expected.value == pytest.approx(1 - expected)
    assert "expected weighted accuracy" in found_line(found, "logistic", "")


def test_too_few_rows_of_a_class_are_explained():
    rows = rows_of()
    rows.y[:] = 0
    rows.y[:10] = 1
    with pytest.raises(LabelError, match="at least 15 training rows of each class; got 10"):
        search_settings(LOGISTIC, rows, 50)
    with pytest.raises(LabelError, match="--tune needs 3 people"):
        search_settings(LOGISTIC, TrainingRows(rows_of().X, rows_of().y, np.zeros(200, int)), 50)


def test_what_was_found_is_kept_and_told():
    found = search_settings(LOGISTIC, rows_of(), 50)
    assert Found.from_json(found.to_json(), found.settings) == found
    line = found_line(found, "logistic", "")
    assert line.startswith("of 4 settings tried: c_times_dimension")
    assert "expected accuracy by nested cross-validation" in line
