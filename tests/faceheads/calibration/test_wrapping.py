"""What all estimators that hold another one tell scikit-learn about it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils import get_tags

from faceheads.calibration.beta import BetaCalibratedClassifier
from faceheads.calibration.conformal import ConformalRegressor
from faceheads.calibration.tuner import ThresholdTuner

CLASSIFIERS = (BetaCalibratedClassifier, ThresholdTuner)
MADE = [(kind, LogisticRegression(), HistGradientBoostingClassifier()) for kind in CLASSIFIERS]
MADE += [(ConformalRegressor, Ridge(), HistGradientBoostingRegressor())]


@pytest.mark.parametrize(("kind", "linear", "trees"), MADE)
def test_sparse_input_is_taken_where_the_held_estimator_takes_it(kind, linear, trees):
    assert get_tags(kind(linear)).input_tags.sparse
    assert not get_tags(kind(trees)).input_tags.sparse


@pytest.mark.parametrize(("kind", "linear", "trees"), MADE)
def test_the_names_of_columns_are_known_after_fit_and_the_given_estimator_stays_unfitted(kind, linear, trees):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"])
    fitted = kind(linear).fit(X, X["a"] + rng.normal(size=60) > 0)
    assert list(fitted.feature_names_in_) == ["a", "b"]
    assert fitted.n_features_in_ == 2
    assert not hasattr(linear, "coef_")
