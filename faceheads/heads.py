"""The estimators that decide: scikit-learn pipelines on embeddings, with their defaults.

====================== ============================================  ==================================================
kind                   classes, attributes                           numbers
====================== ============================================  ==================================================
logistic               logistic regression                           (ridge)
ridge                  (logistic)                                    linear least squares with an L2 penalty
mlp                    networks with two hidden layers of 128        the same
linear_svm, linear_svr linear support vectors, Platt's probabilities linear support vectors, epsilon-insensitive
svm, svr               RBF support vectors, Platt's probabilities    RBF support vectors, epsilon-insensitive
hgb                    boosted trees                                 boosted trees
distribution           (logistic)                                    a distribution over bins, in the RBF kernel's space
====================== ============================================  ==================================================

Every head standardises its input first and returns numbers in units of the target. ``mlp`` has the layers of the original
scripts, with a strong weight penalty and early stopping, and averages four such networks; for attributes it is one network
with an output for each, as in the original. ``distribution`` is made for ages (:mod:`faceheads.distribution`). Above
:data:`EXACT_ROWS` rows the RBF kernel is approximated by Nyström's method, whose cost grows linearly with rows.
What can be set in a kind, and its defaults, are in :mod:`faceheads.head_settings`.

References
----------
J. Platt, Probabilistic outputs for support vector machines, 1999 (out-of-fold decision values, as here).
C. Williams, M. Seeger, Using the Nyström method to speed up kernel machines, NIPS 2000.
B. Polyak, A. Juditsky, Acceleration of stochastic approximation by averaging, SIAM J. Control Optim. 30(4), 1992.
"""

from __future__ import annotations

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
from sklearn.linear_model import LogisticRegression, Ridge, SGDRegressor
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR

from .distribution import DistributionRegressor
from .head_settings import DEFAULTS, Settings, complete
from .targets import MULTILABEL, REGRESSION, TASKS

KINDS = tuple(DEFAULTS)
#: Kinds that exist for one task only, and what stands for them in the other.
_FOR_CLASSES = {"svr": "svm", "linear_svr": "linear_svm", "ridge": "logistic", "distribution": "logistic"}
_FOR_NUMBERS = {"svm": "svr", "linear_svm": "linear_svr", "logistic": "ridge"}
#: Kinds whose time grows with the length of the embedding: for them it is shortened.
_SHORTENED = ("mlp", "svm", "svr", "distribution")

#: Up to this many rows the RBF kernel of support vectors is exact; its time grows with the square of the rows.
EXACT_ROWS = 20_000
#: Rows that stand for the others in Nyström's approximation.
N_LANDMARKS = 2000
#: The same for ``distribution``, which learns a weight for each of them and each bin.
N_DISTRIBUTION_LANDMARKS = 1000
DISTRIBUTION_TOLERANCE = 1e-5
DISTRIBUTION_MAX_ITER = 1000
#: Passes over the rows, with averaged weights, in which support vectors for numbers learn on the approximated kernel.
SGD_EPOCHS = 30
SGD_FIRST_STEP = 0.1
HIDDEN_LAYERS = (128, 128)
#: Folds for the out-of-fold decision values that Platt's probabilities are fitted to.
N_CALIBRATION_FOLDS = 3
_KERNEL_CACHE_MB = 1000
_LINEAR_MAX_ITER = 5000

#: Longer embeddings are shortened to their first principal components before kernels and networks.
PCA_ABOVE_DIMENSION = 512
N_COMPONENTS = 192
#: With fewer rows the components would be those of chance.
PCA_ROWS = 1000
MLP_LEARNING_RATE_FEW_ROWS = 1e-3
MLP_BATCH = 128
MLP_MAX_EPOCHS = 200
N_NETWORKS = 4
#: With fewer rows a tenth is too little to say when to stop.
MLP_EARLY_STOPPING_ROWS = 1000
_SKLEARN_SEEDS = 2**32


def head_kind(kind: str, task: str) -> str:
    """The kind of head that serves a task: ``svm`` and ``svr``, ``logistic`` and ``ridge`` stand for each other.

    Classes are learned by ``logistic`` where ``distribution`` is asked for.

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


def make_head(
    kind: str, task: str, n_rows: int, n_features: int, seed: int = 0, settings: Settings | None = None
) -> BaseEstimator:
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
    settings : mapping of str to float, optional
        What differs from :data:`faceheads.head_settings.DEFAULTS`.

    Returns
    -------
    scikit-learn estimator
        Learns from float32 embeddings of shape (n_rows, n_features) and positions of classes, 0/1 columns, or numbers.

    Raises
    ------
    ValueError
        If the kind cannot do the task, or a setting does not exist.
    """
    if head_kind(kind, task) != kind:
        raise ValueError(f"A {kind} head cannot do {task}; use {head_kind(kind, task)!r} instead.")
    front = [StandardScaler()]
    n_inputs = n_features
    if kind in _SHORTENED and n_features > PCA_ABOVE_DIMENSION and n_rows >= PCA_ROWS:
        front, n_inputs = [StandardScaler(), _components(n_features)], N_COMPONENTS
    chosen = complete(kind, settings)
    if task == REGRESSION:
        regressor = _regressor(kind, chosen, n_rows, n_inputs, seed)
        return TransformedTargetRegressor(make_pipeline(*front, *regressor), transformer=StandardScaler())
    if task == MULTILABEL:
        return make_pipeline(*front, *_several(kind, chosen, n_rows, n_inputs, seed))
    return make_pipeline(*front, *_classifier(kind, chosen, n_rows, n_inputs, seed))


def _components(n_features: int) -> FeatureUnion:
    """The first principal components of standardised embeddings, scaled to a variance of about 1 on average.

    They are not whitened: the spread of the components tells the network and the kernel what matters.
    """
    scale = (N_COMPONENTS / n_features) ** 0.5
    components = PCA(N_COMPONENTS, svd_solver="covariance_eigh")
    return FeatureUnion([("components", components)], transformer_weights={"components": scale})


def _several(kind: str, settings: Settings, n_rows: int, n_inputs: int, seed: int) -> list[BaseEstimator]:
    if kind == "mlp":
        return [MLPClassifier(**_mlp_options(settings, n_rows, seed))]
    *before, last = _classifier(kind, settings, n_rows, n_inputs, seed)
    return [*before, MultiOutputClassifier(last)]


def _classifier(kind: str, settings: Settings, n_rows: int, n_inputs: int, seed: int) -> list[BaseEstimator]:
    if kind == "logistic":
        return [LogisticRegression(C=settings["c_times_dimension"] / n_inputs, max_iter=1000)]
    if kind == "mlp":
        return [VotingClassifier(_networks(MLPClassifier, settings, n_rows, seed), voting="soft")]
    if kind == "hgb":
        return [HistGradientBoostingClassifier(**settings, random_state=seed)]
    if kind == "linear_svm":
        c = settings["c_times_dimension"] / n_inputs
        return [_with_probabilities(LinearSVC(C=c, dual=False, max_iter=_LINEAR_MAX_ITER))]
    gamma = settings["gamma_times_dimension"] / n_inputs
    if n_rows > EXACT_ROWS:
        return [_nystroem(gamma, N_LANDMARKS, seed), LogisticRegression(C=settings["c"], max_iter=1000)]
    return [_with_probabilities(SVC(C=settings["c"], gamma=gamma, cache_size=_KERNEL_CACHE_MB))]


def _with_probabilities(machine: BaseEstimator) -> CalibratedClassifierCV:
    return CalibratedClassifierCV(machine, ensemble=False, cv=N_CALIBRATION_FOLDS)


def _regressor(kind: str, settings: Settings, n_rows: int, n_inputs: int, seed: int) -> list[BaseEstimator]:
    if kind == "ridge":
        return [Ridge(alpha=settings["alpha_per_dimension"] * n_inputs)]
    if kind == "mlp":
        return [VotingRegressor(_networks(MLPRegressor, settings, n_rows, seed))]
    if kind == "hgb":
        return [HistGradientBoostingRegressor(**settings, random_state=seed)]
    if kind == "distribution":
        return _distribution(settings, n_rows, n_inputs, seed)
    epsilon = settings["epsilon"]
    if kind == "linear_svr":
        c = settings["c_times_dimension"] / n_inputs
        return [LinearSVR(C=c, epsilon=epsilon, max_iter=_LINEAR_MAX_ITER, random_state=seed)]
    gamma = settings["gamma_times_dimension"] / n_inputs
    if n_rows > EXACT_ROWS:
        return [_nystroem(gamma, N_LANDMARKS, seed), _averaged_svr(settings["c"], epsilon, n_rows, seed)]
    return [SVR(C=settings["c"], gamma=gamma, epsilon=epsilon, cache_size=_KERNEL_CACHE_MB)]


def _averaged_svr(c: float, epsilon: float, n_rows: int, seed: int) -> SGDRegressor:
    """Linear support vectors that need no second copy of their rows, which LinearSVR makes at four times the size."""
    return SGDRegressor(
        loss="epsilon_insensitive",
        epsilon=epsilon,
        alpha=1 / (c * n_rows),
        average=True,
        max_iter=SGD_EPOCHS,
        tol=None,
        learning_rate="adaptive",
        eta0=SGD_FIRST_STEP,
        random_state=seed,
    )


def _distribution(settings: Settings, n_rows: int, n_inputs: int, seed: int) -> list[BaseEstimator]:
    n_landmarks = min(N_DISTRIBUTION_LANDMARKS, n_rows)
    last = DistributionRegressor(
        alpha=settings["alpha_times_rows"] / n_rows, tol=DISTRIBUTION_TOLERANCE, max_iter=DISTRIBUTION_MAX_ITER
    )
    return [_nystroem(settings["gamma_times_dimension"] / n_inputs, n_landmarks, seed), last]


def _networks(kind: type, settings: Settings, n_rows: int, seed: int) -> list[tuple[str, BaseEstimator]]:
    """Networks that differ in their start and in the rows that stop them."""
    return [(f"network{i}", kind(**_mlp_options(settings, n_rows, seed + i))) for i in range(N_NETWORKS)]


def _mlp_options(settings: Settings, n_rows: int, seed: int) -> dict:
    is_large = n_rows >= MLP_EARLY_STOPPING_ROWS
    rate = settings["learning_rate"]
    return {
        "hidden_layer_sizes": HIDDEN_LAYERS,
        "alpha": settings["alpha"],
        "learning_rate_init": rate if is_large else max(rate, MLP_LEARNING_RATE_FEW_ROWS),
        "batch_size": min(MLP_BATCH, n_rows),
        "max_iter": MLP_MAX_EPOCHS,
        "early_stopping": is_large,
        "random_state": seed % _SKLEARN_SEEDS,
    }


def _nystroem(gamma: float, n_landmarks: int, seed: int) -> Nystroem:
    return Nystroem(gamma=gamma, n_components=n_landmarks, random_state=seed)
