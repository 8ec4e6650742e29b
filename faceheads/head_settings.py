"""What can be set in each kind of head: the values that stand without a search, and those that ``--tune`` tries.

The defaults were chosen by cross-validation on UTKFace's train part (benchmarks/utkface_heads.py --tune prints the scores of
what stands here); differences within the standard error over its folds were not chased. Penalties and widths are per
dimension of the embedding: standardised embeddings of any length then have logits and distances of the same spread a priori.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product

Settings = Mapping[str, float]

#: For each kind the default of each setting.
DEFAULTS: Mapping[str, Settings] = {
    "logistic": {"c_times_dimension": 3.0},
    "ridge": {"alpha_per_dimension": 0.2},
    "mlp": {"alpha": 1.0, "learning_rate": 3e-4},
    "linear_svm": {"c_times_dimension": 0.3},
    "linear_svr": {"c_times_dimension": 1.0, "epsilon": 0.1},
    "svm": {"c": 3.0, "gamma_times_dimension": 0.7},
    "svr": {"c": 1.0, "gamma_times_dimension": 0.6, "epsilon": 0.1},
    "hgb": {"learning_rate": 0.1, "max_leaf_nodes": 31},
    "distribution": {"alpha_times_rows": 0.01, "gamma_times_dimension": 1.0},
}
#: For each kind the values of the settings that a search combines.
GRIDS: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "logistic": {"c_times_dimension": (0.3, 1.0, 3.0, 10.0)},
    "ridge": {"alpha_per_dimension": (0.02, 0.06, 0.2, 0.6, 2.0)},
    "mlp": {"alpha": (0.3, 1.0, 3.0), "learning_rate": (3e-4, 1e-3)},
    "linear_svm": {"c_times_dimension": (0.03, 0.1, 0.3, 1.0)},
    "linear_svr": {"c_times_dimension": (0.3, 1.0, 3.0), "epsilon": (0.1, 0.3)},
    "svm": {"c": (1.0, 3.0, 10.0), "gamma_times_dimension": (0.35, 0.7, 1.4)},
    "svr": {"c": (1.0, 3.0), "gamma_times_dimension": (0.3, 0.6, 1.2)},
    "hgb": {"learning_rate": (0.05, 0.1), "max_leaf_nodes": (15, 31)},
    "distribution": {"alpha_times_rows": (0.003, 0.01, 0.03), "gamma_times_dimension": (0.5, 1.0)},
}
_WHOLE = ("max_leaf_nodes",)


def complete(kind: str, settings: Settings | None) -> dict[str, float]:
    """The settings of a kind, defaults where nothing is given.

    Raises
    ------
    ValueError
        If a setting does not exist or is not a positive number.
    """
    known = DEFAULTS[kind]
    given = {} if settings is None else dict(settings)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"The settings of a {kind} head are {', '.join(known)}; got {', '.join(unknown)}.")
    for name, value in given.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"The setting {name} of a {kind} head must be a positive number; got {value!r}.")
    values = {**known, **given}
    return {name: int(value) if name in _WHOLE else float(value) for name, value in values.items()}


def candidates(kind: str) -> list[dict[str, float]]:
    """Every combination of the grid of a kind, the default first."""
    names, values = zip(*GRIDS[kind].items())
    found = [complete(kind, dict(zip(names, choice, strict=True))) for choice in product(*values)]
    return sorted(found, key=lambda settings: settings != complete(kind, None))


def in_words(settings: Settings) -> str:
    """Settings for people, such as ``c 3, gamma_times_dimension 0.7``."""
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())
