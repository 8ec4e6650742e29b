"""Which held-out rows are shown: some that are right, and those that are most wrong."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...measuring import Answers
from ...targets import REGRESSION

N_EXAMPLES = 12


def right_rows(answers: Answers, has_face: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Positions of rows that are right, drawn at random, as equally many of each class (or part of a number's range) as there are.

    Parameters
    ----------
    answers : Answers of n_rows rows
        Not of many attributes.
    has_face : ndarray of shape (n_rows,), bool
        Other rows are not chosen.
    groups : ndarray of shape (n_rows,)
        Of each group one row is chosen at most.
    seed : int
    """
    if answers.head.target.task == REGRESSION:
        error = np.abs(answers.raw - answers.y)
        is_right = error <= np.median(error)
        ranks = np.argsort(np.argsort(answers.y, kind="stable"))
        kinds = ranks * N_EXAMPLES // len(ranks)
    else:
        is_right, kinds = answers.decided == answers.y, answers.y
    drawn = np.random.default_rng(seed).permutation(np.flatnonzero(is_right & has_face))
    turn = np.zeros(len(drawn), np.int64)  # the first of each kind, then the second of each kind, …
    for kind in np.unique(kinds[drawn]):
        own = kinds[drawn] == kind
        turn[own] = np.arange(own.sum())
    return _first_of_groups(drawn[np.lexsort((kinds[drawn], turn))], groups)


def wrong_rows(answers: Answers, has_face: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Positions of wrong rows, the most wrong first: the largest errors, or the lowest probabilities of the truth.

    Parameters as those of :func:`right_rows`.
    """
    if answers.head.target.task == REGRESSION:
        badness = np.abs(answers.raw - answers.y)
        is_wrong = badness > 0
    else:
        badness = -answers.raw[np.arange(len(answers.y)), answers.y]
        is_wrong = answers.decided != answers.y
    found = np.flatnonzero(is_wrong & has_face)
    return _first_of_groups(found[np.argsort(-badness[found], kind="stable")], groups)


def _first_of_groups(rows: Iterable[int], groups: np.ndarray) -> np.ndarray:
    chosen, seen = [], set()
    for row in rows:
        if groups[row] not in seen:
            seen.add(groups[row])
            chosen.append(row)
        if len(chosen) == N_EXAMPLES:
            break
    return np.array(chosen, np.int64)
