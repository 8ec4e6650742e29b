import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import SVC

from features.explain.decision import HeadDecision, SimilarityDecision

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 6))
Y = X @ [1, -2, 0.5, 0, 0, 1] + 0.1 * RNG.standard_normal(80)


def test_log_odds_of_a_logistic_head_have_its_coefficients_as_gradient():
    head = LogisticRegression().fit(X, Y > 0)
    decision = HeadDecision("y", "", lambda e: head.predict_proba(e)[:, 1], is_probability=True)
    assert decision.score(X[:5]) == pytest.approx(head.decision_function(X[:5]))
    assert decision.gradient(X[:5]) == pytest.approx(np.tile(head.coef_, (5, 1)), rel=1e-6)


def test_the_gradient_of_a_kernel_head_is_that_of_its_kernel():
    head = SVC(kernel="rbf", gamma=0.1).fit(X, Y > 0)
    decision = HeadDecision("y", "", head.decision_function, is_probability=False)
    differences = head.support_vectors_ - X[0]  # d exp(-g |x - s|²) / dx = 2 g (s - x) exp(...)
    kernel = np.exp(-0.1 * (differences**2).sum(axis=1))
    expected = 0.2 * (head.dual_coef_[0] * kernel) @ differences
    assert decision.gradient(X[:1])[0] == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_a_number_is_its_own_score():
    head = Ridge().fit(X, Y)
    decision = HeadDecision("age", "years", head.predict, is_probability=False)
    assert np.array_equal(decision.score(X[:3]), head.predict(X[:3]))
    assert decision.gradient(X[:1])[0] == pytest.approx(head.coef_, rel=1e-6)


def test_certain_probabilities_have_finite_scores():
    decision = HeadDecision("y", "", lambda e: np.array([0.0, 1.0]), is_probability=True)
    assert np.isfinite(decision.score(X[:2])).all()


def test_the_similarity_is_the_cosine_and_its_gradient_that_of_differences():
    decision = SimilarityDecision(X[1])
    expected = X[0] @ X[1] / (np.linalg.norm(X[0]) * np.linalg.norm(X[1]))
    assert decision.score(X[:1])[0] == pytest.approx(expected)
    h = 1e-6
    numeric = [(decision.score(X[:1] + h * e) - decision.score(X[:1] - h * e))[0] / (2 * h) for e in np.eye(6)]
    assert decision.gradient(X[:1])[0] == pytest.approx(numeric, abs=1e-8)
