"""A search for the settings of a head, and what the head it finds may be expected to do.

Every combination of the kind's grid (:data:`faceheads.head_settings.GRIDS`) is cross-validated on a quarter of the people,
the best three of them on all: successive halving. The score of the winner is too good, because it won. So the whole search is
repeated within each fold of an outer cross-validation and its winner judged by people that it never saw: that figure is
the honest one. No group (a person, equal images) is on two sides anywhere, and only training rows take part.

Kinds that stop early (``mlp``, ``hgb``) do so in every fit, by a random tenth of the rows that they are given: that tenth may
share people with the rest, and decides on nothing but the number of steps.

References
----------
K. Jamieson, A. Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, AISTATS 2016.
G. Cawley, N. Talbot, On over-fitting in model selection and subsequent selection bias, JMLR 11, 2010 (why nested).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import joblib
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .fitting import fit_head, predict_numbers
from .head_settings import Settings, candidates
from .heads import make_head
from .labels import LabelError
from .metrics.intervals import Estimate, GroupBootstrap
from .search_result import Found
from .splits import grouped_folds
from .targets import REGRESSION
from .training_rows import TrainingRows

N_OUTER_FOLDS = 3
N_INNER_FOLDS = 3
#: The first round looks at this share of the groups, the second at all.
FIRST_ROUND_SHARE = 0.25
#: Candidates of the second round.
N_FINALISTS = 3
#: With fewer rows, or rows of a class, there is one round on all: a quarter would be chance.
HALVING_ROWS = 2000
HALVING_CLASS_ROWS = 60
#: With fewer rows of a class some of the fits inside fits would lack it.
MIN_CLASS_ROWS = 15


@dataclass(frozen=True)
class Learner:
    """What is fitted again and again: a kind of head for a task.

    Attributes
    ----------
    kind, task : str
    seed : int
    jobs : int
        Fits at the same time.
    """

    kind: str
    task: str
    seed: int = 0
    jobs: int = 1

    @property
    def metric(self) -> str:
        """What is compared."""
        return "mae" if self.task == REGRESSION else "accuracy"

    def losses(self, settings: Settings, rows: TrainingRows, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """What a head loses on each row at ``test`` when it learned from those at ``train``: shares wrong, or distances."""
        learned, asked = rows[train], rows[test]
        head = make_head(self.kind, self.task, len(learned), rows.X.shape[1], self.seed, settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # said once, of the head that is kept
            fit_head(head, learned.X, learned.y, learned.groups, self.seed, learned.weights)
        if self.task == REGRESSION:
            return np.abs(predict_numbers(head, asked.X) - asked.y)
        is_wrong = head.predict(np.ascontiguousarray(asked.X, np.float32)) != asked.y
        return is_wrong.reshape(len(asked), -1).mean(axis=1)


def search_settings(learner: Learner, rows: TrainingRows, n_resamples: int) -> Found:
    """The best settings by cross-validation, with what they may be expected to do by nested cross-validation.

    Parameters
    ----------
    learner : Learner
    rows : TrainingRows
    n_resamples : int
        Draws of groups for the interval.

    Raises
    ------
    LabelError
        If there are too few groups, or rows of a class.
    """
    if _rarest(learner, rows) < MIN_CLASS_ROWS:
        raise LabelError(
            f"--tune needs at least {MIN_CLASS_ROWS} training rows of each class; got {_rarest(learner, rows)}. "
            "Merge rare classes, or train without it."
        )
    folds = _folds(rows, N_OUTER_FOLDS, learner)
    losses = np.empty(len(rows))
    for train, test in folds:
        winner, _ = _best(learner, rows[train])
        losses[test] = learner.losses(winner, rows, train, test)
    settings, score = _best(learner, rows)
    draws = GroupBootstrap(rows.groups, n_resamples, learner.seed)
    expected = _weighted_mean(draws, losses, rows.weights, is_error=learner.task == REGRESSION)
    winning = score if learner.task == REGRESSION else 1 - score
    metric = learner.metric if rows.weights is None else f"weighted {learner.metric}"
    return Found(settings, len(candidates(learner.kind)), metric, expected, winning)


def _weighted_mean(draws: GroupBootstrap, losses: np.ndarray, weights: np.ndarray | None, is_error: bool) -> Estimate:
    values = losses if is_error else 1 - losses
    weights = np.ones(len(losses)) if weights is None else weights
    sums = np.stack([weights * values, weights], axis=1)
    return draws.of_sums(sums, lambda total: total[:, 0] / total[:, 1], is_proportion=not is_error).estimate()


def _best(learner: Learner, rows: TrainingRows) -> tuple[dict[str, float], float]:
    """The candidate of the smallest loss, of equal ones the first, and that loss."""
    tried = candidates(learner.kind)
    if len(rows) >= HALVING_ROWS and _rarest(learner, rows) >= HALVING_CLASS_ROWS:
        losses = _cross_validate(learner, tried, rows[_some(rows, learner.seed)])
        tried = [tried[k] for k in sorted(np.argsort(losses, kind="stable")[:N_FINALISTS])]
    losses = _cross_validate(learner, tried, rows)
    winner = int(np.argmin(losses))
    return tried[winner], float(losses[winner])


def _rarest(learner: Learner, rows: TrainingRows) -> int:
    """Rows of the rarest class of any column; all rows where there are no classes."""
    if learner.task == REGRESSION:
        return len(rows)
    columns = rows.y.reshape(len(rows), -1).T
    return int(min(np.unique(column, return_counts=True)[1].min() for column in columns))


def _some(rows: TrainingRows, seed: int) -> np.ndarray:
    """Positions of the rows of a share of the groups."""
    return grouped_folds(rows.groups, round(1 / FIRST_ROUND_SHARE), seed)[0][1]


def _cross_validate(learner: Learner, tried: Sequence[Settings], rows: TrainingRows) -> np.ndarray:
    """The mean loss of each candidate, float64 of shape (n_candidates,)."""
    folds = _folds(rows, N_INNER_FOLDS, learner)
    weights = np.ones(len(rows)) if rows.weights is None else rows.weights
    fits = [(settings, train, test) for settings in tried for train, test in folds]
    losses = joblib.Parallel(n_jobs=learner.jobs)(
        joblib.delayed(learner.losses)(settings, rows, train, test) for settings, train, test in fits
    )
    sums = [np.dot(weights[test], loss) for loss, (_, _, test) in zip(losses, fits, strict=True)]
    return np.reshape(sums, (len(tried), len(folds))).sum(axis=1) / weights.sum()


def _folds(rows: TrainingRows, n_folds: int, learner: Learner) -> list[tuple[np.ndarray, np.ndarray]]:
    n_groups = len(np.unique(rows.groups))
    if n_groups < n_folds:
        raise LabelError(f"--tune needs {n_folds} people (or images) in every part; there are {n_groups}.")
    return grouped_folds(rows.groups, n_folds, learner.seed)
