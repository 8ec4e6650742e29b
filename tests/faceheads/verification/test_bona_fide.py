"""The score that accepts a pair only if it is of one person and both images are real."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import expit
from sklearn.base import clone

from faceheads.verification.bona_fide import BonaFideMatch, _loss
from faceheads.verification.error_rates import ErrorCurve


def simulated(n=20_000, seed=0, slopes=(4.0, 2.0), intercepts=(-1.0, 0.5)):
    """Pairs that are accepted with exactly the probability of the model."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) * (1, 2, 2)
    z = X * (slopes[0], slopes[1], slopes[1]) + (intercepts[0], intercepts[1], intercepts[1])
    return X, rng.random(n) < expit(z).prod(axis=1)


def kinds_of_pairs(n=3000, seed=1):
    """Mated pairs, pairs of two persons, and fakes that look like the person; columns as the estimator wants them."""
    rng = np.random.default_rng(seed)
    mated = np.column_stack([rng.normal(8, 1, n), rng.normal(2, 1, (n, 2))])
    other = np.column_stack([rng.normal(3, 1, n), rng.normal(2, 1, (n, 2))])
    fake = np.column_stack([rng.normal(8.5, 1, n), rng.normal(-2, 1, n), rng.normal(2, 1, n)])
    return np.concatenate([mated, other, fake]), np.repeat(["mated", "other", "fake"], n)


def eer(score, kind, against):
    chosen = np.isin(kind, ["mated", against])
    return ErrorCurve.from_similarities(score[chosen], kind[chosen] == "mated").eer().interpolated


def test_the_parameters_that_made_the_pairs_are_found_again():
    X, y = simulated()
    fitted = BonaFideMatch(penalty=0).fit(X, y, sample_weight=np.ones(len(y)))
    assert fitted.slopes_ == pytest.approx([4, 2], rel=0.15)
    assert fitted.intercepts_ == pytest.approx([-1, 0.5], abs=0.2)


def test_the_gradient_is_that_of_the_loss():
    X, y = simulated(200)
    weight = np.random.default_rng(0).random(200)
    for start in ([1.0, 0.2, 0.5, -0.3], [3.0, -1.0, 0.0, 1.0]):
        error = check_grad(lambda p: _loss(p, X, y, weight, 0.01)[0], lambda p: _loss(p, X, y, weight, 0.01)[1], start)
        assert error < 1e-3


def test_probabilities_are_the_product_of_three_questions():
    X, y = simulated(500)
    fitted = BonaFideMatch().fit(X, y)
    (a, c), (b, d) = fitted.slopes_, fitted.intercepts_
    expected = [expit(a * s + b) * expit(c * p + d) * expit(c * r + d) for s, p, r in X]
    assert fitted.predict_proba(X)[:, 1] == pytest.approx(expected)
    assert expit(fitted.decision_function(X)) == pytest.approx(expected)
    assert (fitted.predict(X) == (np.array(expected) >= 0.5)).all()
    assert fitted.decision_function(X[:, [0, 2, 1]]) == pytest.approx(fitted.decision_function(X))


def test_fakes_that_similarity_lets_pass_are_refused_and_strangers_still_are():
    X, kind = kinds_of_pairs()
    fitted = clone(BonaFideMatch()).fit(X, kind == "mated")
    held, held_kind = kinds_of_pairs(seed=2)
    score = fitted.decision_function(held)
    assert eer(held[:, 0], held_kind, "fake") > 0.5
    assert eer(score, held_kind, "fake") < 0.05
    assert eer(score, held_kind, "other") < eer(held[:, 0], held_kind, "other") + 0.01


def test_a_bona_fide_score_that_says_nothing_is_not_listened_to():
    X, kind = kinds_of_pairs()
    X[:, 1:] = np.random.default_rng(3).normal(size=(len(X), 2))
    real = kind != "fake"
    fitted = BonaFideMatch().fit(X[real], kind[real] == "mated")
    assert eer(fitted.decision_function(X), kind, "other") == pytest.approx(eer(X[:, 0], kind, "other"), abs=0.003)


def test_the_surest_pairs_have_finite_scores():
    X, kind = kinds_of_pairs()
    score = BonaFideMatch().fit(X, kind == "mated").decision_function([[1e6, 1e6, 1e6], [-1e6, 1, 1]])
    assert np.isfinite(score).all()
    assert score[0] > score[1]


@pytest.mark.parametrize(
    ("X", "y", "penalty"),
    [(np.ones((4, 2)), [0, 1, 0, 1], 0), (np.ones((4, 3)), [1] * 4, 0), (np.ones((4, 3)), [0, 1, 0, 1], -1)],
)
def test_what_cannot_be_fitted_is_refused(X, y, penalty):
    with pytest.raises(ValueError, match="X must have the columns"):
        BonaFideMatch(penalty).fit(X, y)
