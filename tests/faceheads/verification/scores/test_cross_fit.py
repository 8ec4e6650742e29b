"""Scores of comparisons by fits to other people."""

import numpy as np
import pytest

from faceheads.verification.comparisons import Comparisons
from faceheads.verification.scores.base import PairScore
from faceheads.verification.scores.cross_fit import cross_fitted, faces_of, fit_score
from faceheads.verification.scores.registry import SCORES, make_score
from faceheads.verification.trials import make_trials
from tests.faceheads.verification.faces import faces_table, identities_of, pairs_of


class Witness(PairScore):
    """A score that tells whether it was fitted to a person it compares: columns are vector and identity."""

    def fit(self, X, y):
        self.known_ = set(X[:, -1])
        self.n_people_ = len(set(y))
        return self

    def transform(self, X):
        return X

    def compare(self, probe, reference):
        seen = [bool({a, b} & self.known_) for a, b in zip(probe[:, -1], reference[:, -1], strict=True)]
        return np.array(seen, float) + self.n_people_


@pytest.fixture(scope="module")
def table():
    return faces_table(n_people=40, n_lost=3)


def test_no_comparison_is_scored_by_a_fit_to_its_own_people(table):
    trials = make_trials(table, pairs_of(table, 400), "cosine")
    X = np.stack([np.zeros(len(table)), np.unique(identities_of(table), return_inverse=True)[1]], axis=1)
    scores = cross_fitted(Witness(), X, trials, n_folds=4)
    assert np.isnan(scores[~trials.is_acquired]).all() and (~trials.is_acquired).any()
    found = scores[trials.is_acquired]
    assert set(found) <= {20.0, 30.0}  # people of two or three folds of four, none of them seen
    assert (found[trials.is_mated[trials.is_acquired]] == 30).all()


def test_a_final_fit_knows_every_face_that_was_compared(table):
    trials = make_trials(table, pairs_of(table, 400), "cosine")
    rows, identity = faces_of(trials)
    assert (identity == identities_of(table)[rows]).all() and (table.has_embedding[rows]).all()
    fitted = fit_score(make_score("s_norm", "cosine"), table.embedding, trials)
    assert len(fitted.cohort_) == len(set(identity))


def test_too_few_people_are_refused(table):
    few = make_trials(table, pairs_of(table[:12], 40), "cosine")
    with pytest.raises(ValueError, match="10 people or more; the comparisons have 3"):
        cross_fitted(Witness(), table.embedding, few)


@pytest.mark.parametrize("name", SCORES)
def test_every_score_of_the_command_line_scores_a_table(table, name):
    score = make_score(name, "euclidean")
    listed = Comparisons.from_pairs(table, pairs_of(table, 400), "euclidean", "pairs")
    assert score.name == name
    for scored in (listed.cross_scored(score), listed.scored(listed.fitted(score))):
        assert scored.score == name
        assert scored.rates.curve.auc > 0.8
        np.testing.assert_array_equal(scored.trials.is_acquired, np.isfinite(scored.trials.similarity))
