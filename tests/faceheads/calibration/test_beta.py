"""Beta calibration: its parameters, its limits, and the other methods under one name."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_estimator

from faceheads.calibration.beta import METHODS, BetaCalibratedClassifier, calibrated, fit_beta


def drawn(bend, n=50_000, seed=0):
    """Probabilities, and truths that follow ``bend`` of them."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.02, 0.98, n)
    return p, rng.random(n) < bend(p)


@pytest.mark.filterwarnings("ignore")  # scikit-learn's checks warn about estimators of their own
def test_scikit_learn_finds_nothing_wrong():
    results = check_estimator(BetaCalibratedClassifier(LogisticRegression(), cv=2), on_fail=None, on_skip=None)
    assert [(r["check_name"], r["exception"]) for r in results if r["status"] not in ("passed", "skipped")] == []


def test_probabilities_that_are_right_are_left_alone():
    assert fit_beta(*drawn(lambda p: p)) == pytest.approx((1, 1, 0), abs=0.05)


def test_the_parameters_that_the_truth_was_drawn_with_are_found():
    def bend(p):
        return 1 / (1 + np.exp(-(0.5 * np.log(p) - 2.0 * np.log(1 - p) + 0.3)))

    assert fit_beta(*drawn(bend)) == pytest.approx((0.5, 2.0, 0.3), abs=0.06)


def test_the_likelihood_is_the_largest_by_another_optimiser():
    p, truth = drawn(lambda p: p**2, n=400)

    def loss(x):
        z = x[0] * np.log(p) - x[1] * np.log(1 - p) + x[2]
        return np.logaddexp(0, np.where(truth, -z, z)).sum()

    found = minimize(loss, [1, 1, 0], bounds=[(0, None), (0, None), (None, None)]).x
    assert loss(fit_beta(p, truth)) == pytest.approx(loss(found), abs=1e-3)


def test_a_falling_map_is_refused():
    a, b, c = fit_beta(*drawn(lambda p: 1 - p, n=2000))
    assert (a, b) == (0, 0)
    assert c == pytest.approx(0, abs=0.1)
    a, b, _ = fit_beta(*drawn(lambda p: 0.3 + 1.6 * (p - 0.5) ** 2, n=5000))
    assert a >= 0 and b >= 0


def test_a_bold_classifier_is_corrected_on_new_rows():
    rng = np.random.default_rng(0)
    truth = rng.random(6000) < 0.3
    noise = rng.normal(size=(6000, 1))
    X = np.repeat(truth[:, None] + noise, 6, axis=1)  # six times the same evidence: naive Bayes is far too sure
    model = calibrated(GaussianNB()).fit(X[:3000], truth[:3000])
    bold = GaussianNB().fit(X[:3000], truth[:3000])
    new, said = truth[3000:], {"bold": bold.predict_proba(X[3000:])[:, 1], "beta": model.predict_proba(X[3000:])[:, 1]}
    brier = {name: np.mean((p - new) ** 2) for name, p in said.items()}
    assert brier["beta"] < brier["bold"] - 0.01
    high = said["beta"] > 0.5
    assert new[high].mean() == pytest.approx(said["beta"][high].mean(), abs=0.06)  # 3 standard errors


def test_every_method_gives_probabilities():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 2)), np.repeat(["no", "yes"], 100)
    X[100:] += 1
    for method in METHODS:
        model = calibrated(LogisticRegression(), method, cv=3).fit(X, y)
        assert isinstance(model, BetaCalibratedClassifier if method == "beta" else CalibratedClassifierCV)
        assert model.predict_proba(X).sum(axis=1) == pytest.approx(1)
        assert (model.predict(X) == y).mean() > 0.6


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError, match="method must be one of sigmoid, .*; got 'platt'"):
        calibrated(LogisticRegression(), "platt")
    with pytest.raises(TypeError, match="LinearSVC has no predict_proba. Use method='sigmoid'"):
        calibrated(LinearSVC()).fit([[0.0], [1.0]] * 10, [0, 1] * 10)
