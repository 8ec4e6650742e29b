"""What is measured of a head that decides between classes.

=====================  ===================================================================================================
accuracy               share of rows with the right class
balanced accuracy      mean over classes of the share of the class's rows that are right (recall); chance is 1 / n_classes
macro-F1               mean over classes of 2·TP / (2·TP + FP + FN)
ROC AUC                two classes: chance that a row of the second class scores above one of the first, ties count half;
                       more: mean over classes of that number for the class against the rest
=====================  ===================================================================================================

Means run over the classes that occur in ``y_true``; a note names how many do not. With fewer than two classes only the
accuracy is defined, the rest is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse

from .intervals import GroupBootstrap, Resampled


def classification_metrics(
    y_true: np.ndarray, y_pred: np.ndarray, probabilities: np.ndarray, draws: GroupBootstrap
) -> dict[str, Resampled]:
    """Accuracy, balanced accuracy, macro-F1 and ROC AUC of one head.

    Parameters
    ----------
    y_true, y_pred : int array of shape (n_rows,)
        Positions of the true and the decided class, 0 … n_classes − 1.
    probabilities : array of shape (n_rows, n_classes)
        Any scores that rise with the probability of the class serve for the AUC.
    draws : GroupBootstrap
        Of the same rows.

    Returns
    -------
    dict of Resampled, keys ``accuracy, balanced_accuracy, macro_f1, roc_auc``

    Raises
    ------
    ValueError
        If lengths differ or a class is out of range.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    probabilities = np.asarray(probabilities, np.float64)
    _check(y_true, y_pred, probabilities, draws)
    n_classes = probabilities.shape[1]
    present = np.flatnonzero(np.bincount(y_true, minlength=n_classes))
    note = "" if len(present) == n_classes else f"{n_classes - len(present)} of {n_classes} classes have no rows"
    counts = _class_counts(y_true, y_pred, n_classes)
    return {
        "accuracy": draws.of_sums(_accuracy_rows(y_true == y_pred), _ratio, is_proportion=True),
        "balanced_accuracy": draws.of_sums(counts, _balanced_accuracy(present, n_classes), note=note),
        "macro_f1": draws.of_sums(counts, _macro_f1(present, n_classes), note=note),
        "roc_auc": draws.of_weights(_roc_auc(y_true, probabilities, present), note=note),
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


def _accuracy_rows(is_right: np.ndarray) -> np.ndarray:
    return np.stack([is_right, np.ones(len(is_right))], axis=1)


def _ratio(sums: np.ndarray) -> np.ndarray:
    return sums[:, 0] / sums[:, 1]


def _class_counts(y_true: np.ndarray, y_pred: np.ndarray, n_classes: int) -> scipy.sparse.csr_array:
    """One row a row: indicator of a true positive, of the true class, of the decided class, each n_classes wide."""
    n = len(y_true)
    hits = np.flatnonzero(y_true == y_pred)
    rows = np.concatenate([hits, np.arange(n), np.arange(n)])
    columns = np.concatenate([y_true[hits], n_classes + y_true, 2 * n_classes + y_pred])
    return scipy.sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(n, 3 * n_classes))


def _balanced_accuracy(present: np.ndarray, n_classes: int) -> Callable[[np.ndarray], np.ndarray]:
    def function(sums: np.ndarray) -> np.ndarray:
        if len(present) < 2:
            return np.full(len(sums), np.nan)
        hits, truth = sums[:, present], sums[:, n_classes + present]
        return _mean_of_ratios(hits, truth)

    return function


def _macro_f1(present: np.ndarray, n_classes: int) -> Callable[[np.ndarray], np.ndarray]:
    def function(sums: np.ndarray) -> np.ndarray:
        if len(present) < 2:
            return np.full(len(sums), np.nan)
        hits, truth, decided = sums[:, present], sums[:, n_classes + present], sums[:, 2 * n_classes + present]
        # 2·TP + FP + FN = rows of the class + rows decided for it; a class without rows has no F1
        return _mean_of_ratios(2 * hits, np.where(truth > 0, truth + decided, 0))

    return function


def _mean_of_ratios(numerators: np.ndarray, denominators: np.ndarray) -> np.ndarray:
    """Mean over columns; NaN where a denominator is zero."""
    ratios = np.full(numerators.shape, np.nan)
    np.divide(numerators, denominators, out=ratios, where=denominators > 0)
    return ratios.mean(axis=1)


def _roc_auc(y_true: np.ndarray, probabilities: np.ndarray, present: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    if probabilities.shape[1] == 2:
        columns = [1] if len(present) == 2 else []
    else:
        columns = list(present) if len(present) > 1 else []
    areas = [_binary_auc(y_true == c, probabilities[:, c]) for c in columns]

    def function(weights: np.ndarray) -> np.ndarray:
        if not areas:
            return np.full(len(weights), np.nan)
        return np.mean([area(weights) for area in areas], axis=0)

    return function


def _binary_auc(is_positive: np.ndarray, scores: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Weights of shape (n, n_rows) → weighted area under the ROC curve, shape (n,)."""
    order = np.argsort(scores, kind="stable")
    is_first = np.r_[True, np.diff(scores[order]) > 0]  # first row of each run of equal scores
    starts = np.flatnonzero(is_first)
    positive = is_positive[order]

    def area(weights: np.ndarray) -> np.ndarray:
        ordered = weights[:, order]
        up = np.add.reduceat(np.where(positive, ordered, 0), starts, axis=1)
        down = np.add.reduceat(np.where(positive, 0, ordered), starts, axis=1)
        below = np.cumsum(down, axis=1) - down / 2  # equal scores count half
        pairs = up.sum(axis=1) * down.sum(axis=1)
        result = np.full(len(weights), np.nan)
        return np.divide((up * below).sum(axis=1), pairs, out=result, where=pairs > 0)

    return area
