"""Whether the parts of a loaded estimator fit each other.

scikit-learn's compiled code (libsvm, boosted trees) indexes its arrays without looking at their sizes: a file that says
"1,000 support vectors" and holds ten would make it read foreign memory. So sizes are checked here before the first
prediction. What is computed by numpy checks itself.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.kernel_approximation import Nystroem
from sklearn.svm import SVC, SVR

from .fitting import parts_of


def check_sound(estimator: BaseEstimator) -> None:
    """Raise ValueError if compiled code could read beyond the arrays of ``estimator``."""
    for part in parts_of(estimator):
        is_fitted = any(name.endswith("_") and not name.endswith("__") for name in vars(part))
        if isinstance(part, SVC | SVR) and is_fitted:
            _check_support_vectors(part)
        elif isinstance(part, HistGradientBoostingClassifier | HistGradientBoostingRegressor) and is_fitted:
            _check_trees(part)
        elif isinstance(part, Nystroem) and (part.kernel != "rbf" or part.kernel_params is not None):
            raise ValueError("a Nyström map must have the RBF kernel.")


def _check_support_vectors(machine: SVC | SVR) -> None:
    """The arrays have the shapes that libsvm derives from the number of classes and of support vectors."""
    n_classes = len(machine.classes_) if isinstance(machine, SVC) else 2
    n_machines = n_classes * (n_classes - 1) // 2
    n_vectors = len(machine.support_vectors_)
    expected = {
        "support_vectors_": (n_vectors, machine.n_features_in_),
        "support_": (n_vectors,),
        "_n_support": (n_classes,),
        "_dual_coef_": (n_classes - 1, n_vectors),
        "_intercept_": (n_machines,),
        "intercept_": (n_machines,),
        "_probA": (0,),
        "_probB": (0,),
    }
    for name, shape in expected.items():
        if np.shape(getattr(machine, name)) != shape:
            raise ValueError(f"{name} must have the shape {shape}; got {np.shape(getattr(machine, name))}.")
    counts = machine._n_support
    n_used = counts.sum() if isinstance(machine, SVC) else n_vectors
    is_plain = machine.kernel == "rbf" and not machine._sparse and "_impl" not in vars(machine)
    if not is_plain or counts.min() < 0 or n_used != n_vectors:
        raise ValueError(
            "a support vector machine must have the RBF kernel, dense vectors and their number per class."
        )


def _check_trees(trees: HistGradientBoostingClassifier | HistGradientBoostingRegressor) -> None:
    if trees._preprocessor is not None or trees.is_categorical_ is not None:
        raise ValueError("boosted trees must have numeric features only.")
    n_outputs = np.shape(trees._baseline_prediction)[1]
    if any(len(step) != n_outputs for step in trees._predictors):
        raise ValueError(f"each boosting step must have {n_outputs} trees.")
    for step in trees._predictors:
        for tree in step:
            _check_tree(tree.nodes, trees.n_features_in_)
            if any(len(getattr(tree, name)) for name in ("binned_left_cat_bitsets", "raw_left_cat_bitsets")):
                raise ValueError("a boosted tree must have no categories.")


def _check_tree(nodes: np.ndarray, n_features: int) -> None:
    """Children lie behind their parent and inside the array, so that every walk ends; features exist."""
    if nodes.dtype != PREDICTOR_RECORD_DTYPE or nodes.ndim != 1 or not len(nodes):
        raise ValueError("a boosted tree must be a list of nodes.")
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    chosen = nodes[inner]
    for side in ("left", "right"):
        child = chosen[side].astype(np.int64)
        if (child <= inner).any() or (child >= len(nodes)).any():
            raise ValueError("a boosted tree must point to its own later nodes.")
    feature = chosen["feature_idx"]
    if (feature < 0).any() or (feature >= n_features).any() or chosen["is_categorical"].any():
        raise ValueError(f"a boosted tree must look at the {n_features} numeric features only.")
