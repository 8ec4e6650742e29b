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
    mean_square = draws.of_mean(error**2)
    results = {
        "mae": draws.of_mean(error),
        "rmse": Resampled.combine([mean_square], lambda values: np.sqrt(values[0])),
    }
    for tolerance in tolerances:
        results[f"within_{tolerance:g}"] = draws.of_mean(error <= tolerance, is_proportion=True)
    return results
