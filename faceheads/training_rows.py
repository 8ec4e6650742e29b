"""The rows that a head learns from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Embeddings with what is known of them.

    Attributes
    ----------
    X : ndarray of shape (n_rows, dimension), float32
    y : ndarray
        As ``Target.encode`` gives it.
    groups : ndarray of shape (n_rows,)
    cohorts : ndarray of shape (n_rows,), object, or None
        None in the array where the cohort is not known.
    cohort_name : str
    weights : ndarray of shape (n_rows,), float64, or None
        How much each row counts in training; None where all count equally.
    """

    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    cohorts: np.ndarray | None = None
    cohort_name: str = ""
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, rows: np.ndarray) -> TrainingRows:
        """The rows at some positions."""
        names = ("X", "y", "groups", "cohorts", "weights")
        columns = {name: getattr(self, name) for name in names}
        return replace(self, **{name: None if column is None else column[rows] for name, column in columns.items()})
