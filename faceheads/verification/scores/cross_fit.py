"""Scores of the comparisons that a score was fitted to, as if it had not been.

A score knows the faces that it was fitted to too well, and a threshold found on its scores of them would make other errors
on new people. So people are divided into folds, and a comparison is scored by a fit to the people in neither fold of its
two.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
from sklearn.base import clone

from ..trials import Trials
from .base import PairScore

N_FOLDS = 5


def faces_of(trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the faces that are compared, ascending, and the identity of each."""
    made = trials.made
    rows, first = np.unique(np.concatenate([made.probe, made.reference]), return_index=True)
    return rows, np.concatenate([made.probe_identity, made.reference_identity])[first]


def fit_score(score: PairScore, X: np.ndarray, trials: Trials) -> PairScore:
    """A clone of ``score``, fitted to the faces of the comparisons.

    Parameters
    ----------
    score : PairScore
    X : ndarray of shape (n_rows, n_features)
        Of the whole table.
    trials : Trials
    """
    rows, identity = faces_of(trials)
    return clone(score).fit(X[rows], pd.factorize(identity)[0])


def cross_fitted(score: PairScore, X: np.ndarray, trials: Trials, n_folds: int = N_FOLDS, seed: int = 0) -> np.ndarray:
    """Scores of comparisons by fits to other people, float64 of shape (n_trials,); NaN where none was made.

    Parameters
    ----------
    score : PairScore
    X : ndarray of shape (n_rows, n_features)
        Of the whole table.
    trials : Trials
    n_folds : int, default=5
    seed : int, default=0
        Of the folds.

    Raises
    ------
    ValueError
        If there are too few people.
    """
    rows, identity = faces_of(trials)
    person, names = pd.factorize(identity)
    if len(names) < 2 * n_folds:
        raise ValueError(f"a score is fitted to {2 * n_folds} people or more; the comparisons have {len(names)}.")
    fold = np.full(len(X), -1)
    fold[rows] = (np.random.default_rng(seed).permutation(len(names)) % n_folds)[person]
    of_probe, of_reference = (np.where(side >= 0, fold[side], -1) for side in (trials.probe, trials.reference))
    low, high = np.minimum(of_probe, of_reference), np.maximum(of_probe, of_reference)
    out = np.full(len(trials), np.nan)
    for pair in combinations_with_replacement(range(n_folds), 2):
        chosen = np.flatnonzero((low == pair[0]) & (high == pair[1]))
        if len(chosen):
            others = ~np.isin(fold[rows], pair)
            fitted = clone(score).fit(X[rows[others]], person[others])
            out[chosen] = fitted.score_rows(X, trials.probe[chosen], trials.reference[chosen])
    return out
