"""Fit heads, drop what only further training would need, and ask them."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from .heads import N_CALIBRATION_FOLDS
from .splits import grouped_folds

#: Packages whose estimators a head is made of.
_PACKAGES = ("sklearn.", "faceheads.")


def fit_head(
    head: BaseEstimator,
    embeddings: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    seed: int = 0,
    weights: np.ndarray | None = None,
) -> None:
    """Fit a head in place and drop what only further training would need.

    Parameters
    ----------
    head : estimator of :func:`faceheads.heads.make_head`
    embeddings : float32 array of shape (n_rows, n_features)
    y : array of shape (n_rows,) or (n_rows, n_columns)
    groups : array of shape (n_rows,)
        Rows of one group never calibrate a machine that was trained on others of the group.
    seed : int, default=0
    weights : array of shape (n_rows,), optional
        How much each row counts.
    """
    for name in [name for name in head.get_params() if name.endswith("__cv")]:
        head.set_params(**{name: _calibration_folds(y, groups, seed)})
    options = {} if weights is None else {_weight_parameter(head): weights}
    with threadpool_limits(1 if _has_networks(head) else None, user_api="blas"):
        head.fit(np.ascontiguousarray(embeddings, np.float32), y, **options)
    for part in parts_of(head):
        _slim(part)


def _weight_parameter(head: BaseEstimator) -> str:
    """How the weights are called for the last step of the head's pipeline."""
    pipeline = head.regressor if isinstance(head, TransformedTargetRegressor) else head
    return f"{pipeline.steps[-1][0]}__sample_weight"


def _has_networks(head: BaseEstimator) -> bool:
    """Whether training is many products of small matrices, which a second thread makes slower, and no longer repeatable."""
    return any(isinstance(part, MLPClassifier | MLPRegressor) for part in parts_of(head))


def _calibration_folds(y: np.ndarray, groups: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]] | int:
    """Folds of whole groups; scikit-learn's stratified ones where these would leave a class out of a fold."""
    if len(np.unique(groups)) < N_CALIBRATION_FOLDS:
        return N_CALIBRATION_FOLDS
    folds = grouped_folds(groups, N_CALIBRATION_FOLDS, seed)
    columns = y.reshape(len(y), -1).T
    has_all = all(len(np.unique(column[train])) == len(np.unique(column)) for column in columns for train, _ in folds)
    return folds if has_all else N_CALIBRATION_FOLDS


def predict_numbers(head: BaseEstimator, embeddings: np.ndarray) -> np.ndarray:
    """Predictions of a regression head, float64 of shape (n_rows,), in units of the target."""
    return np.asarray(head.predict(np.ascontiguousarray(embeddings, np.float32)), np.float64)


def predict_probabilities(head: BaseEstimator, embeddings: np.ndarray, task: str) -> np.ndarray:
    """Probabilities of classes, float64 of shape (n_rows, n_classes), or of each attribute, (n_rows, n_columns)."""
    result = head.predict_proba(np.ascontiguousarray(embeddings, np.float32))
    if isinstance(result, list):  # MultiOutputClassifier: one array a column
        result = np.stack([p[:, 1] for p in result], axis=1)
    return np.asarray(result, np.float64)


# ------------------------------------------------------------------------------------------------- slimming

#: Attributes that scikit-learn keeps for going on with training, and parameters that hold row numbers.
_TRAINING_ONLY = (
    "_optimizer",
    "_random_state",
    "_feature_subsample_rng",
    "_no_improvement_count",
    "loss_curve_",
    "validation_scores_",
    "named_estimators_",
    "_best_coefs",
    "_best_intercepts",
    "_average_coef",
    "_average_intercept",
    "_standard_coef",
    "_standard_intercept",
)


def parts_of(estimator: BaseEstimator) -> list[BaseEstimator]:
    """The estimator and every estimator inside it."""
    found, stack = [], [estimator]
    while stack:
        value = stack.pop()
        if isinstance(value, list | tuple):
            stack.extend(value)
        elif hasattr(value, "__dict__") and type(value).__module__.startswith(_PACKAGES):
            found.append(value)
            stack.extend(vars(value).values())
    return found


def _slim(part: BaseEstimator) -> None:
    for name in _TRAINING_ONLY:
        if name in vars(part):
            delattr(part, name)
    if isinstance(part, CalibratedClassifierCV):
        part.cv = None
