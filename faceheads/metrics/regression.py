"""What is measured of a head that gives a number, such as an age in years.

===============  =====================================================================
MAE              mean of |prediction − truth|, in units of the target
RMSE             square root of the mean of (prediction − truth)²
within 5, 10     share of rows with |prediction − truth| ≤ 5, ≤ 10 units
===============  =====================================================================
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .intervals import GroupBootstrap, Resampled

#: Tolerances of the age literature, in years.
YEAR_TOLERANCES = (5.0, 10.0)


def regression_metrics(
    y_true: np.ndarray, y_pred: np.ndarray, draws: GroupBootstrap, tolerances: Sequence[float] = YEAR_TOLERANCES
) -> dict[str, Resampled]:
    """MAE, RMSE and the share within each tolerance.

    Parameters
    ----------
    y_true, y_pred : array of shape (n_rows,)
        In units of the target.
    draws : GroupBootstrap
        Of the same rows.
    tolerances : sequence of float, default=(5, 10)

    Returns
    -------
    dict of Resampled, keys ``mae, rmse`` and ``within_5`` … for each tolerance

    Raises
    ------
    ValueError
        If lengths differ or a value is not finite.
    """
    y_true, y_pred = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
    if y_true.shape != (draws.n_rows,) or y_pred.shape != (draws.n_rows,):
        raise ValueError(
            f"y_true and y_pred must have the {draws.n_rows} rows of the groups; "
            f"got shapes {y_true.shape}, {y_pred.shape}."
        )
    if not (np.isfinite(y_true).all() and np.isfinite(y_pred).all()):
        raise ValueError("y_true and y_pred must be finite numbers.")
    error = np.abs(y_pred - y_true)
    results = {
        "mae": draws.of_sums(_with_count(error), _mean),
        "rmse": draws.of_sums(_with_count(error**2), lambda sums: np.sqrt(_mean(sums))),
    }
    for tolerance in tolerances:
        rows = _with_count(error <= tolerance)
        results[f"within_{tolerance:g}"] = draws.of_sums(rows, _mean, is_proportion=True)
    return results


def _with_count(values: np.ndarray) -> np.ndarray:
    return np.stack([values, np.ones(len(values))], axis=1)


def _mean(sums: np.ndarray) -> np.ndarray:
    return sums[:, 0] / sums[:, 1]
