"""Conformal intervals: coverage by simulation, on average, per cohort and per bin of the truth."""

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.utils.estimator_checks import check_estimator

from faceheads.calibration.conformal import ConformalRegressor, conformal_quantile, join_small_bins


def ages(n, seed):
    """One feature that shrinks the age, as embeddings do, and cohorts of which one is noisier."""
    rng = np.random.default_rng(seed)
    age, cohort = rng.uniform(0, 100, n), np.where(rng.random(n) < 0.3, "b", "a")
    noise = rng.normal(size=n) * np.where(cohort == "b", 12, 4) * (0.5 + age / 100)
    return (age + noise)[:, None], age, cohort


def covered(interval, truth):
    return (interval[:, 0] <= truth) & (truth <= interval[:, 1])


@pytest.mark.filterwarnings("ignore")  # scikit-learn's checks warn about estimators of their own
def test_scikit_learn_finds_nothing_wrong():
    results = check_estimator(ConformalRegressor(LinearRegression(), edges=(0.0,), cv=2), on_fail=None, on_skip=None)
    assert [(r["check_name"], r["exception"]) for r in results if r["status"] not in ("passed", "skipped")] == []


def test_the_share_of_intervals_that_hold_the_truth_is_the_guaranteed_one():
    # Split conformal, n = 19, coverage 0.9: the 18th of 19 scores, so exactly 18 / 20 over draws of 19 + 1 rows.
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(40_000, 20)) ** 2
    limits = np.sort(scores[:, :19], axis=1)[:, 17]
    assert conformal_quantile(scores[0, :19], 0.9) == limits[0]
    assert np.mean(scores[:, 19] <= limits) == pytest.approx(0.9, abs=0.006)  # 4 standard errors


def test_coverage_holds_on_average_with_scores_out_of_fold_or_of_a_frozen_estimator():
    X, y, _ = ages(4000, 0)
    new_X, new_y, _ = ages(20_000, 1)
    frozen = FrozenEstimator(LinearRegression().fit(*ages(500, 2)[:2]))
    for estimator in (LinearRegression(), frozen):
        model = ConformalRegressor(estimator).fit(X, y)
        assert covered(model.predict_interval(new_X), new_y).mean() == pytest.approx(0.9, abs=0.02)


def test_cohorts_get_the_coverage_each():
    X, y, cohort = ages(4000, 0)
    new_X, new_y, new_cohort = ages(20_000, 1)
    plain = covered(ConformalRegressor(LinearRegression()).fit(X, y).predict_interval(new_X), new_y)
    assert plain[new_cohort == "b"].mean() < 0.8
    model = ConformalRegressor(LinearRegression()).fit(X, y, sensitive_features=cohort)
    own = covered(model.predict_interval(new_X, sensitive_features=new_cohort), new_y)
    for name in ("a", "b"):
        assert own[new_cohort == name].mean() == pytest.approx(0.9, abs=0.025)
    unknown = model.predict_interval(new_X)
    assert np.allclose(np.diff(unknown), 2 * model.widths_.max())


def test_every_decade_gets_the_coverage_where_bins_of_the_truth_are_asked_for():
    X, y, _ = ages(20_000, 0)
    new_X, new_y, _ = ages(20_000, 1)
    decade = (new_y // 10).astype(int)
    plain = covered(ConformalRegressor(LinearRegression()).fit(X, y).predict_interval(new_X), new_y)
    assert min(plain[decade == d].mean() for d in range(10)) < 0.85
    model = ConformalRegressor(LinearRegression(), edges=range(10, 100, 10)).fit(X, y)
    own = covered(model.predict_interval(new_X), new_y)
    assert min(own[decade == d].mean() for d in range(10)) > 0.87
    assert own.mean() < 0.96


def test_bins_of_few_people_are_joined_and_cells_of_too_few_are_unbounded():
    assert list(
        join_small_bins(np.array([1.0, 2.0, 3.0]), np.array([0.5] * 9 + [1.5] * 2 + [2.5] * 5 + [3.5] * 3), 3)
    ) == [1, 3]
    assert list(join_small_bins(np.array([1.0]), np.array([0.5] * 9), 1)) == []
    X, y, cohort = ages(200, 0)
    cohort = np.r_[["rare"] * 4, cohort[4:]]
    model = ConformalRegressor(DummyRegressor()).fit(X, y, sensitive_features=cohort)
    assert np.isinf(model.predict_interval(X[:1], sensitive_features=["rare"])).all()


def test_people_stay_in_one_fold():
    # What is learned by heart helps with other photos of the person: only scores without the person are honest.
    rng = np.random.default_rng(0)
    persons = np.repeat(np.arange(80), 5)
    X, y = rng.normal(size=(80, 3))[persons], rng.normal(size=80)[persons]
    by_heart = KNeighborsRegressor(1)
    assert ConformalRegressor(by_heart).fit(X, y).widths_[0, 0] == 0
    assert ConformalRegressor(by_heart).fit(X, y, groups=persons).widths_[0, 0] > 1


def test_what_is_wrong_is_said():
    X, y, cohort = ages(60, 0)
    with pytest.raises(ValueError, match=r"coverage must be in \(0, 1\); got 1.0"):
        ConformalRegressor(LinearRegression(), coverage=1.0).fit(X, y)
    with pytest.raises(ValueError, match=r"edges must be finite and rise; got \[10, 10\]"):
        ConformalRegressor(LinearRegression(), edges=[10, 10]).fit(X, y)
    model = ConformalRegressor(LinearRegression()).fit(X, y, sensitive_features=cohort)
    with pytest.raises(ValueError, match=r"among those of fit, \['a', 'b'\]; got \['c'\]"):
        model.predict_interval(X, sensitive_features=["c"] * 60)
