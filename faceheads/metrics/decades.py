"""Ages by decade: which decade is taken for which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from .cohorts import why_suppressed
from .intervals import Estimate, GroupBootstrap

_YEARS = 10


@dataclass(frozen=True, eq=False)
class DecadeConfusion:
    """True against predicted decades.

    Attributes
    ----------
    names : tuple of str, length n_decades
        ``"20 to 29"`` …, rising, those in between that do not occur included.
    counts : ndarray of shape (n_decades, n_decades), int64
        Rows are true decades, columns predicted ones.
    shares : tuple of tuple of Estimate
        Of each true decade, the share of its rows in each predicted decade; empty for decades with too few rows (see
        :data:`faceheads.metrics.cohorts.MIN_ROWS`).
    """

    names: tuple[str, ...]
    counts: np.ndarray
    shares: tuple[tuple[Estimate, ...], ...]

    def to_json(self) -> dict:
        """JSON values."""
        shares = [[estimate.to_json() for estimate in row] for row in self.shares]
        return {"names": list(self.names), "counts": self.counts.tolist(), "shares": shares}


def decades(years: np.ndarray) -> pd.Categorical:
    """The decade of each age: categories ``"0 to 9"``, ``"10 to 19"`` … from the lowest to the highest age.

    Parameters
    ----------
    years : array of shape (n_rows,)
        NaN has no decade; at least one is finite.
    """
    numbers = np.floor(np.asarray(years, np.float64) / _YEARS)
    lowest, highest = int(np.nanmin(numbers)), int(np.nanmax(numbers))
    names = [f"{n * _YEARS} to {n * _YEARS + _YEARS - 1}" for n in range(lowest, highest + 1)]
    return pd.Categorical.from_codes(np.where(np.isnan(numbers), -1, numbers - lowest).astype(int), names)


def decade_confusion(y_true: np.ndarray, y_pred: np.ndarray, draws: GroupBootstrap) -> DecadeConfusion:
    """Which decade is taken for which; predictions below 0 years count as 0.

    Parameters
    ----------
    y_true, y_pred : array of shape (n_rows,), years
    draws : GroupBootstrap
        Of the same rows.
    """
    both = decades(np.concatenate([y_true, np.maximum(y_pred, 0)]))
    truth, guess = np.split(both.codes, 2)
    n = len(both.categories)
    shares = tuple(_shares(truth == k, guess, n, draws) for k in range(n))
    return DecadeConfusion(tuple(both.categories), confusion_matrix(truth, guess, labels=np.arange(n)), shares)


def _shares(rows: np.ndarray, guess: np.ndarray, n_decades: int, draws: GroupBootstrap) -> tuple[Estimate, ...]:
    part = draws.subset(rows)
    if why_suppressed(part):
        return ()
    return tuple(part.of_mean(guess[rows] == k, is_proportion=True).estimate() for k in range(n_decades))
