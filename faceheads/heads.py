"""The estimators that decide: scikit-learn pipelines on embeddings, with their defaults.

=========  ==============================================  ================================================
kind       classes, attributes                             numbers
=========  ==============================================  ================================================
logistic   logistic regression                             (ridge)
ridge      (logistic)                                      linear least squares with an L2 penalty
mlp        networks with two hidden layers of 128          the same
svm, svr   RBF support vectors with Platt's probabilities  RBF support vectors, epsilon-insensitive
hgb        boosted trees                                   boosted trees
=========  ==============================================  ================================================

Every head standardises its input first and returns numbers in units of the target. ``mlp`` has the layers of the original
scripts, with a strong weight penalty and early stopping, and averages four such networks; for attributes it is one network
with an output for each, as in the original. Above :data:`EXACT_ROWS` rows the RBF
kernel is approximated by Nyström's method, whose cost grows linearly with rows.

References
----------
J. Platt, Probabilistic outputs for support vector machines, 1999 (out-of-fold decision values, as here).
C. Williams, M. Seeger, Using the Nyström method to speed up kernel machines, NIPS 2000.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVR
from threadpoolctl import threadpool_limits

from .splits import grouped_folds
from .targets import MULTILABEL, REGRESSION, TASKS

KINDS = ("logistic", "mlp", "svm", "svr", "ridge", "hgb")
#: Kinds that exist for one task only, and what stands for them in the other.
_FOR_CLASSES = {"svr": "svm", "ridge": "logistic"}
_FOR_NUMBERS = {"svm": "svr", "logistic": "ridge"}
#: Kinds whose time grows with the length of the embedding: for them it is shortened.
_SHORTENED = ("mlp", "svm", "svr")

#: Up to this many rows the RBF kernel is exact; its time grows with the square of the rows.
EXACT_ROWS = 20_000
#: Rows that stand for the others in Nyström's approximation.
N_LANDMARKS = 2000
HIDDEN_LAYERS = (128, 128)
#: Folds for the out-of-fold decision values that Platt's probabilities are fitted to.
N_CALIBRATION_FOLDS = 3
_KERNEL_CACHE_MB = 1000

# Chosen by cross-validation on UTKFace's train part (benchmarks/utkface_heads.py --tune prints the scores of what stands
# here); differences within the standard error over its folds were not chased.
# Penalties are per dimension: standardised embeddings of any length then have logits of the same spread a priori.
LOGISTIC_C_TIMES_DIMENSION = 3.0
RIDGE_ALPHA_PER_DIMENSION = 0.2
SVM_C = 3.0
SVM_GAMMA_TIMES_DIMENSION = 0.7
SVR_C = 1.0
SVR_GAMMA_TIMES_DIMENSION = 0.6
SVR_EPSILON = 0.1
#: Longer embeddings are shortened to their first principal components before kernels and networks.
PCA_ABOVE_DIMENSION = 512
N_COMPONENTS = 192
#: With fewer rows the components would be those of chance.
PCA_ROWS = 1000
MLP_ALPHA = 1.0
MLP_LEARNING_RATE = 3e-4
MLP_LEARNING_RATE_FEW_ROWS = 1e-3
MLP_BATCH = 128
MLP_MAX_EPOCHS = 200
N_NETWORKS = 4
#: With fewer rows a tenth is too little to say when to stop.
MLP_EARLY_STOPPING_ROWS = 1000
_SKLEARN_SEEDS = 2**32


def head_kind(kind: str, task: str) -> str:
    """The kind of head that serves a task: ``svm`` and ``svr``, ``logistic`` and ``ridge`` stand for each other.

    Raises
    ------
    ValueError
        If ``kind`` or ``task`` is unknown.
    """
    if kind not in KINDS:
        raise ValueError(f"The head must be one of {', '.join(KINDS)}; got {kind!r}.")
    if task not in TASKS:
        raise ValueError(f"The task must be one of {', '.join(TASKS)}; got {task!r}.")
    partners = _FOR_NUMBERS if task == REGRESSION else _FOR_CLASSES
    return partners.get(kind, kind)


def make_head(kind: str, task: str, n_rows: int, n_features: int, seed: int = 0) -> BaseEstimator:
    """An unfitted head.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS` that has the task; see :func:`head_kind`.
    task : {"classification", "regression", "multilabel"}
    n_rows : int
        Rows it will be trained on; decides whether the RBF kernel is exact.
    n_features : int
        Dimension of the embeddings; sets the width of the RBF kernel.
    seed : int, default=0

    Returns
    -------
    scikit-learn estimator
        Learns from float32 embeddings of shape (n_rows, n_features) and positions of classes, 0/1 columns, or numbers.

    Raises
    ------
    ValueError
        If the kind cannot do the task.
    """
    if head_kind(kind, task) != kind:
        raise ValueError(f"A {kind} head cannot do {task}; use {head_kind(kind, task)!r} instead.")
    front = [StandardScaler()]
    n_inputs = n_features
    if kind in _SHORTENED and n_features > PCA_ABOVE_DIMENSION and n_rows >= PCA_ROWS:
        front, n_inputs = [StandardScaler(), _components(n_features)], N_COMPONENTS
    if task == REGRESSION:
        regressor = _regressor(kind, n_rows, n_inputs, seed)
        return TransformedTargetRegressor(make_pipeline(*front, *regressor), transformer=StandardScaler())
    if task == MULTILABEL:
        return make_pipeline(*front, *_several(kind, n_rows, n_inputs, seed))
    return make_pipeline(*front, *_classifier(kind, n_rows, n_inputs, seed))


def _components(n_features: int) -> FeatureUnion:
    """The first principal components of standardised embeddings, scaled to a variance of about 1 on average.

    They are not whitened: the spread of the components tells the network and the kernel what matters.
    """
    scale = (N_COMPONENTS / n_features) ** 0.5
    components = PCA(N_COMPONENTS, svd_solver="covariance_eigh")
    return FeatureUnion([("components", components)], transformer_weights={"components": scale})


def _several(kind: str, n_rows: int, n_inputs: int, seed: int) -> list[BaseEstimator]:
    if kind == "mlp":
        return [MLPClassifier(**_mlp_options(n_rows, seed))]
    *before, last = _classifier(kind, n_rows, n_inputs, seed)
    return [*before, MultiOutputClassifier(last)]


def _classifier(kind: str, n_rows: int, n_inputs: int, seed: int) -> list[BaseEstimator]:
    if kind == "logistic":
        return [LogisticRegression(C=LOGISTIC_C_TIMES_DIMENSION / n_inputs, max_iter=1000)]
    if kind == "mlp":
        return [VotingClassifier(_networks(MLPClassifier, n_rows, seed), voting="soft")]
    if kind == "hgb":
        return [HistGradientBoostingClassifier(random_state=seed)]
    gamma = SVM_GAMMA_TIMES_DIMENSION / n_inputs
    if n_rows > EXACT_ROWS:
        return [_nystroem(gamma, seed), LogisticRegression(C=SVM_C, max_iter=1000)]
    machine = SVC(C=SVM_C, gamma=gamma, cache_size=_KERNEL_CACHE_MB)
    return [CalibratedClassifierCV(machine, ensemble=False, cv=N_CALIBRATION_FOLDS)]


def _regressor(kind: str, n_rows: int, n_inputs: int, seed: int) -> list[BaseEstimator]:
    if kind == "ridge":
        return [Ridge(alpha=RIDGE_ALPHA_PER_DIMENSION * n_inputs)]
    if kind == "mlp":
        return [VotingRegressor(_networks(MLPRegressor, n_rows, seed))]
    if kind == "hgb":
        return [HistGradientBoostingRegressor(random_state=seed)]
    gamma = SVR_GAMMA_TIMES_DIMENSION / n_inputs
    if n_rows > EXACT_ROWS:
        return [_nystroem(gamma, seed), LinearSVR(C=SVR_C, epsilon=SVR_EPSILON, max_iter=5000, random_state=seed)]
    return [SVR(C=SVR_C, gamma=gamma, epsilon=SVR_EPSILON, cache_size=_KERNEL_CACHE_MB)]


def _networks(kind: type, n_rows: int, seed: int) -> list[tuple[str, BaseEstimator]]:
    """Networks that differ in their start and in the rows that stop them."""
    return [(f"network{i}", kind(**_mlp_options(n_rows, seed + i))) for i in range(N_NETWORKS)]


def _mlp_options(n_rows: int, seed: int) -> dict:
    is_large = n_rows >= MLP_EARLY_STOPPING_ROWS
    return {
        "hidden_layer_sizes": HIDDEN_LAYERS,
        "alpha": MLP_ALPHA,
        "learning_rate_init": MLP_LEARNING_RATE if is_large else MLP_LEARNING_RATE_FEW_ROWS,
        "batch_size": min(MLP_BATCH, n_rows),
        "max_iter": MLP_MAX_EPOCHS,
        "early_stopping": is_large,
        "random_state": seed % _SKLEARN_SEEDS,
    }


def _nystroem(gamma: float, seed: int) -> Nystroem:
    return Nystroem(gamma=gamma, n_components=N_LANDMARKS, random_state=seed)


def fit_head(head: BaseEstimator, embeddings: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int = 0) -> None:
    """Fit a head in place and drop what only further training would need.

    Parameters
    ----------
    head : estimator of :func:`make_head`
    embeddings : float32 array of shape (n_rows, n_features)
    y : array of shape (n_rows,) or (n_rows, n_columns)
    groups : array of shape (n_rows,)
        Rows of one group never calibrate a machine that was trained on others of the group.
    seed : int, default=0
    """
    for name in [name for name in head.get_params() if name.endswith("__cv")]:
        head.set_params(**{name: _calibration_folds(y, groups, seed)})
    with threadpool_limits(1 if _has_networks(head) else None, user_api="blas"):
        head.fit(np.ascontiguousarray(embeddings, np.float32), y)
    for part in parts_of(head):
        _slim(part)


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
)


def parts_of(estimator: BaseEstimator) -> list[BaseEstimator]:
    """The estimator and every estimator inside it."""
    found, stack = [], [estimator]
    while stack:
        value = stack.pop()
        if isinstance(value, list | tuple):
            stack.extend(value)
        elif hasattr(value, "__dict__") and type(value).__module__.startswith("sklearn."):
            found.append(value)
            stack.extend(vars(value).values())
    return found


def _slim(part: BaseEstimator) -> None:
    for name in _TRAINING_ONLY:
        if name in vars(part):
            delattr(part, name)
    if isinstance(part, CalibratedClassifierCV):
        part.cv = None
