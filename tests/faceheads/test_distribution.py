"""Numbers by the distribution over bins: what it learns, and that it is a regressor like others."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import check_estimator

from faceheads.distribution import DistributionRegressor, _loss

RNG = np.random.default_rng(0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_keeps_the_contract_of_scikit_learn():
    results = check_estimator(
        DistributionRegressor(n_bins=10, alpha=1.0, max_iter=5000, tol=0), on_fail=None, on_skip=None
    )
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert failed == {}


def test_the_gradient_is_that_of_the_loss():
    X, targets = RNG.normal(size=(7, 3)), RNG.dirichlet(np.ones(4), 7)
    weight = RNG.dirichlet(np.ones(7))
    arguments = X, targets, weight, 0.3

    def value(flat):
        return _loss(flat.reshape(4, 4), *arguments)[0]

    def slope(flat):
        return _loss(flat.reshape(4, 4), *arguments)[1].ravel()

    assert check_grad(value, slope, RNG.normal(size=16)) < 1e-6


def test_the_predicted_distribution_is_the_target_where_nothing_is_to_be_seen():
    """Without features the optimum is the mean of the target distributions, and its mean that of the numbers."""
    y = RNG.uniform(20, 60, 500)
    fitted = DistributionRegressor(tol=0, max_iter=1000).fit(np.zeros((500, 1)), y)
    got = fitted.predict_distribution(np.zeros((1, 1)))[0]
    assert got == pytest.approx(fitted._spread(y).mean(axis=0), abs=1e-5)
    assert fitted.predict([[0.0]])[0] == pytest.approx(y.mean(), abs=0.2)


def test_what_a_line_cannot_say_is_learned():
    x = RNG.uniform(-1, 1, (800, 2))
    y = 40 * np.abs(x[:, 0])
    X = np.column_stack([x, x**2])
    errors = [
        np.abs(model.fit(X[:600], y[:600]).predict(X[600:]) - y[600:]).mean()
        for model in (DistributionRegressor(alpha=1e-5), Ridge())
    ]
    assert errors[0] < 0.5 * errors[1]


def test_single_and_double_precision_agree():
    X = RNG.normal(size=(300, 5))
    y = 50 + 10 * X[:, 0]
    double = DistributionRegressor(alpha=0.01).fit(X, y)
    single = DistributionRegressor(alpha=0.01).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == np.float32
    assert single.predict(X.astype(np.float32)) == pytest.approx(double.predict(X), abs=0.2)


def test_rows_without_weight_do_not_exist():
    X, y = RNG.normal(size=(60, 2)), RNG.normal(size=60)
    y[:10] = 1000
    weight = (np.arange(60) >= 10).astype(float)
    weighted = DistributionRegressor().fit(X, y, weight)
    assert weighted.centres_.max() == y[10:].max()
    assert weighted.predict(X) == pytest.approx(DistributionRegressor().fit(X[10:], y[10:]).predict(X))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("n_bins", 1, "at least 2"), ("smoothing", 0.0, "more than 0"), ("alpha", -1, "at least 0")],
)
def test_parameters_out_of_range_are_explained(name, value, words):
    with pytest.raises(ValueError, match=f"{name} must be {words}; got {value}"):
        DistributionRegressor(**{name: value}).fit([[0.0], [1.0]], [0.0, 1.0])


def test_too_few_steps_are_reported():
    with pytest.warns(ConvergenceWarning, match="after 2 steps"):
        DistributionRegressor(max_iter=2).fit(RNG.normal(size=(50, 2)), RNG.normal(size=50))
