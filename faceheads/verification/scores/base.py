"""What every score has in common: faces become templates once, templates are compared in pairs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

#: Pairs whose templates are gathered at once: few, so that they stay in the cache.
_BLOCK = 2048


class PairScore(TransformerMixin, BaseEstimator):
    """A score of two faces; subclasses have ``fit``, ``transform`` and ``compare``.

    Attributes
    ----------
    fitted_arrays : mapping of str to tuple of str
        Names of the arrays that ``fit`` finds, each with the names of its dimensions: equal names are equal lengths, and
        ``"n_features"`` is that of the input.
    """

    fitted_arrays: ClassVar[dict[str, tuple[str, ...]]] = {}

    @property
    def name(self) -> str:
        """What the command line calls it."""
        raise NotImplementedError

    @property
    def fixed_sizes(self) -> dict[str, int]:
        """Dimensions whose length the parameters tell."""
        return {}

    def check_parameters(self) -> None:
        """Raise ValueError if a parameter is out of range."""

    def check_arrays(self) -> None:
        """Raise ValueError if a fitted array has values that ``fit`` cannot find."""

    def compare(self, probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Score templates row by row, float64 of shape (n_pairs,); higher is more alike."""
        raise NotImplementedError

    def score_rows(self, X: np.ndarray, probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Scores of pairs of rows.

        Parameters
        ----------
        X : ndarray of shape (n_faces, n_features)
        probe, reference : ndarray of shape (n_pairs,), int
            Rows; −1 for a missing one.

        Returns
        -------
        ndarray of shape (n_pairs,), float64
            NaN where a row is missing.
        """
        out = np.full(len(probe), np.nan)
        made = np.flatnonzero((probe >= 0) & (reference >= 0))
        if not len(made):
            return out
        used, position = np.unique(np.concatenate([probe[made], reference[made]]), return_inverse=True)
        templates = self.transform(X[used])
        one, other = np.split(position, 2)
        for start in range(0, len(made), _BLOCK):
            block = slice(start, start + _BLOCK)
            out[made[block]] = self.compare(templates[one[block]], templates[other[block]])
        return out
