"""What is measured of a head that decides between classes.

==========================  ==============================================================================================
accuracy                    share of rows with the right class
balanced accuracy           mean over classes of the share of the class's rows that are right; chance is 1 / n_classes
macro-F1                    mean over classes of 2·TP / (2·TP + FP + FN)
precision, recall           two classes: TP / (TP + FP), TP / (TP + FN) of the second class; more: means over classes
ROC AUC                     two classes: chance that a row of the second class scores above one of the first, ties count
                            half; more: mean over classes of that number for the class against the rest
PR AUC                      area under precision over recall as a step function (average precision), classes as for ROC AUC
Brier score                 mean of Σ (probability − truth)² over the classes, half of it with two classes
expected calibration error  mean over rows of |share right − mean confidence| of the row's bin; 15 bins of equal width,
                            confidence = largest probability, right = that class is true
==========================  ==============================================================================================

Means over classes run over those that occur in ``y_true``; a note names how many do not. What has no denominator is NaN:
with one class only accuracy, Brier score and calibration error are sure to be defined. The calibration error of a finite
set is above that of the population even for perfect probabilities, and its interval with it;
``benchmarks/metric_coverage.py`` prints how often each interval holds the truth.

References
----------
G. W. Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78, 1950.
C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On calibration of modern neural networks, ICML 2017, equation 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse

from .intervals import GroupBootstrap, Resampled, ratio

N_CALIBRATION_BINS = 15


def classification_metrics(
    y_true: np.ndarray, y_pred: np.ndarray, probabilities: np.ndarray, draws: GroupBootstrap
) -> dict[str, Resampled]:
    """All metrics of one head.

    Parameters
    ----------
    y_true, y_pred : int array of shape (n_rows,)
        Positions of the true and the decided class, 0 … n_classes − 1.
    probabilities : array of shape (n_rows, n_classes)
        Areas under curves need scores only that rise with the probability of the class.
    draws : GroupBootstrap
        Of the same rows.

    Returns
    -------
    dict of Resampled, keys ``accuracy, balanced_accuracy, macro_f1, precision, recall, roc_auc, pr_auc, brier, ece``

    Raises
    ------
    ValueError
        If lengths differ or a class is out of range.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    probabilities = np.asarray(probabilities, np.float64)
    _check(y_true, y_pred, probabilities, draws)
    classes = _Classes(y_true, y_pred, probabilities.shape[1], draws)
    rankings = classes.rankings(probabilities)
    return {
        "accuracy": draws.of_mean(y_true == y_pred, is_proportion=True),
        "balanced_accuracy": classes.mean(_recall),
        "macro_f1": classes.mean(_f1),
        "precision": classes.precision(),
        "recall": classes.recall(),
        "roc_auc": draws.of_weights(_mean_over(rankings, _Ranking.roc_area), classes.note),
        "pr_auc": draws.of_weights(_mean_over(rankings, _Ranking.average_precision), classes.note),
        "brier": draws.of_mean(_squared_distances(y_true, probabilities)),
        "ece": _calibration_error(y_true, probabilities, draws),
    }


def majority_probabilities(y_train: np.ndarray, n_classes: int, n_rows: int) -> np.ndarray:
    """The classes' shares in training, repeated: what is known without looking, shape (n_rows, n_classes).

    The baseline decides for its largest column everywhere (the first of equal ones).
    """
    shares = np.bincount(np.asarray(y_train), minlength=n_classes) / len(y_train)
    return np.tile(shares, (n_rows, 1))


def attribute_metrics(
    y_true: np.ndarray, probabilities: np.ndarray, draws: GroupBootstrap, thresholds: np.ndarray
) -> list[dict[str, Resampled]]:
    """:func:`classification_metrics` of every 0/1 attribute.

    Parameters
    ----------
    y_true : int array of shape (n_rows, n_attributes)
        0 or 1.
    probabilities : array of shape (n_rows, n_attributes)
        Probability of 1.
    draws : GroupBootstrap
    thresholds : array of shape (n_attributes,)
        An attribute is decided to be there when its probability is at least this.
    """
    results = []
    columns = zip(np.asarray(y_true).T, np.asarray(probabilities, np.float64).T, thresholds, strict=True)
    for truth, p, threshold in columns:
        decided = (p >= threshold).astype(int)
        results.append(classification_metrics(truth, decided, np.stack([1 - p, p], axis=1), draws))
    return results


def mean_over_attributes(results: Sequence[dict[str, Resampled]]) -> dict[str, Resampled]:
    """The mean of each metric over attributes that were measured with the same draws."""
    return {name: Resampled.mean([r[name] for r in results]) for name in results[0]}


def _check(y_true: np.ndarray, y_pred: np.ndarray, probabilities: np.ndarray, draws: GroupBootstrap) -> None:
    n = draws.n_rows
    if y_true.shape != (n,) or y_pred.shape != (n,) or probabilities.ndim != 2 or len(probabilities) != n:
        raise ValueError(
            f"y_true, y_pred and probabilities must have the {n} rows of the groups; "
            f"got shapes {y_true.shape}, {y_pred.shape}, {probabilities.shape}."
        )
    for name, values in (("y_true", y_true), ("y_pred", y_pred)):
        if values.min() < 0 or values.max() >= probabilities.shape[1]:
            raise ValueError(
                f"{name} must lie in 0 … {probabilities.shape[1] - 1}, one for each column of probabilities; "
                f"got {values.min()} … {values.max()}."
            )


# ------------------------------------------------------------------------------------------------- decisions


def _recall(hits: np.ndarray, truth: np.ndarray, decided: np.ndarray) -> np.ndarray:
    return ratio(hits, truth)


def _precision(hits: np.ndarray, truth: np.ndarray, decided: np.ndarray) -> np.ndarray:
    return ratio(hits, decided)


def _f1(hits: np.ndarray, truth: np.ndarray, decided: np.ndarray) -> np.ndarray:
    # 2·TP + FP + FN = rows of the class + rows decided for it; a class without rows has no F1
    return ratio(2 * hits, np.where(truth > 0, truth + decided, 0))


class _Classes:
    """True and decided classes of the rows, and means over the classes that occur."""

    def __init__(self, y_true: np.ndarray, y_pred: np.ndarray, n_classes: int, draws: GroupBootstrap) -> None:
        self._y_true, self._y_pred, self._n, self._draws = y_true, y_pred, n_classes, draws
        self._present = np.flatnonzero(np.bincount(y_true, minlength=n_classes))
        n_absent = n_classes - len(self._present)
        self.note = f"{n_absent} of {n_classes} classes have no rows" if n_absent else ""

    def mean(self, share: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray], note: str = "") -> Resampled:
        """Mean over classes of a share of the numbers of hits, of rows and of decisions, each of shape (n, n_present)."""

        def function(sums: np.ndarray) -> np.ndarray:
            if len(self._present) < 2:
                return np.full(len(sums), np.nan)
            return share(*(sums[:, k * self._n + self._present] for k in range(3))).mean(axis=1)

        return self._draws.of_sums(self._counts(), function, note=self.note or note)

    def _counts(self) -> scipy.sparse.csr_array:
        """One row a row: indicator of a hit, of the true class, of the decided class, each n_classes wide."""
        n = len(self._y_true)
        hits = np.flatnonzero(self._y_true == self._y_pred)
        rows = np.concatenate([hits, np.arange(n), np.arange(n)])
        columns = np.concatenate([self._y_true[hits], self._n + self._y_true, 2 * self._n + self._y_pred])
        return scipy.sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(n, 3 * self._n))

    def precision(self) -> Resampled:
        """Of the second of two classes, or the mean over classes."""
        undecided = np.setdiff1d([1] if self._n == 2 else self._present, self._y_pred)
        note = f"{len(undecided)} of {self._n} classes are never decided" if len(undecided) else ""
        if self._n > 2:
            return self.mean(_precision, note)
        rows = self._y_pred == 1
        return self._draws.subset(rows).of_mean(self._y_true[rows] == 1, is_proportion=True, note=note)

    def recall(self) -> Resampled:
        """Of the second of two classes, or the mean over classes."""
        if self._n > 2:
            return self.mean(_recall)
        rows = self._y_true == 1
        return self._draws.subset(rows).of_mean(self._y_pred[rows] == 1, is_proportion=True, note=self.note)

    def rankings(self, probabilities: np.ndarray) -> list[_Ranking]:
        """Of the second of two classes, or of each class against the rest; none with fewer than two classes."""
        if len(self._present) < 2:
            return []
        columns = [1] if self._n == 2 else self._present
        return [_Ranking(self._y_true == c, probabilities[:, c]) for c in columns]


# ------------------------------------------------------------------------------------------------- areas


class _Ranking:
    """Rows in the order of their scores; methods map weights of shape (n, n_rows) to areas of shape (n,)."""

    def __init__(self, is_positive: np.ndarray, scores: np.ndarray) -> None:
        self._order = np.argsort(scores, kind="stable")
        is_first = np.r_[True, np.diff(scores[self._order]) > 0]  # first row of each run of equal scores
        self._starts = np.flatnonzero(is_first)
        self._is_positive = is_positive[self._order]

    def _weights_of_runs(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positive and negative weight of each distinct score, ascending."""
        ordered = weights[:, self._order]
        positive = np.add.reduceat(np.where(self._is_positive, ordered, 0), self._starts, axis=1)
        negative = np.add.reduceat(np.where(self._is_positive, 0, ordered), self._starts, axis=1)
        return positive, negative

    def roc_area(self, weights: np.ndarray) -> np.ndarray:
        """Share of pairs of a positive and a negative row in which the positive one scores higher."""
        positive, negative = self._weights_of_runs(weights)
        below = np.cumsum(negative, axis=1) - negative / 2  # equal scores count half
        return ratio((positive * below).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))

    def average_precision(self, weights: np.ndarray) -> np.ndarray:
        """Mean over positive rows of the precision among the rows that score at least as high."""
        positive, negative = self._weights_of_runs(weights)
        hits, decided = (np.cumsum(part[:, ::-1], axis=1)[:, ::-1] for part in (positive, positive + negative))
        # runs without any weight at or above them have no precision, and do not count
        precision = np.divide(hits, decided, out=np.zeros_like(hits), where=decided > 0)
        return ratio((positive * precision).sum(axis=1), positive.sum(axis=1))


def _mean_over(
    rankings: list[_Ranking], area: Callable[[_Ranking, np.ndarray], np.ndarray]
) -> Callable[[np.ndarray], np.ndarray]:
    def function(weights: np.ndarray) -> np.ndarray:
        if not rankings:
            return np.full(len(weights), np.nan)
        return np.mean([area(ranking, weights) for ranking in rankings], axis=0)

    return function


# ------------------------------------------------------------------------------------------------- probabilities


def _squared_distances(y_true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    n_classes = probabilities.shape[1]
    squares = ((probabilities - np.eye(n_classes)[y_true]) ** 2).sum(axis=1)
    return squares / 2 if n_classes == 2 else squares


def calibration_bins(probabilities: np.ndarray) -> np.ndarray:
    """The bin of each row's largest probability, int array of shape (n_rows,); bins are open below and closed above."""
    bins = np.ceil(probabilities.max(axis=1) * N_CALIBRATION_BINS).astype(int) - 1
    return np.clip(bins, 0, N_CALIBRATION_BINS - 1)


def _calibration_error(y_true: np.ndarray, probabilities: np.ndarray, draws: GroupBootstrap) -> Resampled:
    surplus = (probabilities.argmax(axis=1) == y_true) - probabilities.max(axis=1)
    bins = calibration_bins(probabilities)
    n, width = len(y_true), N_CALIBRATION_BINS + 1
    cells = np.stack([surplus, np.ones(n)], axis=1).ravel()
    columns = np.stack([bins, np.full(n, N_CALIBRATION_BINS)], axis=1).ravel()
    rows = scipy.sparse.csr_array((cells, (np.repeat(np.arange(n), 2), columns)), shape=(n, width))
    return draws.of_sums(rows, lambda sums: ratio(np.abs(sums[:, :-1]).sum(axis=1), sums[:, -1]))
