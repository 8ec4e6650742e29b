"""Curves of probabilities: ROC, precision over recall, reliability."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from ...measuring import Answers
from ...metrics.classification import N_CALIBRATION_BINS, calibration_bins
from ...metrics.intervals import ratio
from ..style import BLUE, GUIDE, SKY, VERMILION, look, percent_axis, shorten

#: Classes whose curves can be told apart in one picture.
MAX_CURVES = 7
#: The share right of fewer rows is chance: its point is hollow.
FEW_ROWS = 20


def draw_roc(figure: Any, answers: Answers) -> None:
    """True against false positive rate, of the second of two classes or of each class against the rest."""
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GUIDE, linestyle=":", linewidth=1)
    for i, (name, is_class, scores) in enumerate(_one_against_rest(answers)):
        false, true, _ = roc_curve(is_class, scores)
        axes.plot(false, true, color=look(i).colour, linestyle=look(i).line, label=name)
    _mark_decision(axes, answers, lambda hits, false_alarms, n, n_others: (false_alarms / n_others, hits / n))
    _finish(axes, "false positive rate", "true positive rate", "lower right")


def draw_precision_recall(figure: Any, answers: Answers) -> None:
    """Precision over recall, of the same classes."""
    axes = figure.subplots()
    for i, (name, is_class, scores) in enumerate(_one_against_rest(answers)):
        precision, recall, _ = precision_recall_curve(is_class, scores)
        axes.plot(recall, precision, color=look(i).colour, linestyle=look(i).line, label=name, drawstyle="steps-post")
    _mark_decision(axes, answers, lambda hits, false_alarms, n, _: (hits / n, hits / max(hits + false_alarms, 1)))
    _finish(axes, "recall", "precision", "lower left")


def _one_against_rest(answers: Answers) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, truth and scores of each class that has rows and is not all there is; of two classes the second only."""
    classes = answers.head.target.classes
    for c in [1] if len(classes) == 2 else range(min(len(classes), MAX_CURVES)):
        is_class = answers.y == c
        if 0 < is_class.sum() < len(is_class):
            yield shorten(classes[c]), is_class, answers.raw[:, c]


def _mark_decision(axes: Any, answers: Answers, place: Any) -> None:
    """The point where a head with two classes decides; ``place`` maps hits, false alarms, n of both to x and y."""
    n = int((answers.y == 1).sum())
    if len(answers.head.target.classes) != 2 or not 0 < n < len(answers.y):
        return
    decided = answers.decided == 1
    hits, false_alarms = int((decided & (answers.y == 1)).sum()), int((decided & (answers.y == 0)).sum())
    x, y = place(hits, false_alarms, n, len(answers.y) - n)
    axes.plot([x], [y], "s", color=VERMILION, markersize=7, label="decided here")


def _finish(axes: Any, xlabel: str, ylabel: str, where: str) -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=xlabel, ylabel=ylabel)
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    axes.legend(loc=where)


def reliability(answers: Answers) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, mean confidence and share right in each bin of the calibration error, each of shape (n_bins,)."""
    bins = calibration_bins(answers.raw)
    right = answers.raw.argmax(axis=1) == answers.y
    rows, confidence, hits = (
        np.bincount(bins, weights, N_CALIBRATION_BINS) for weights in (None, answers.raw.max(axis=1), right)
    )
    return rows, ratio(confidence, rows), ratio(hits, rows)


def draw_reliability(figure: Any, answers: Answers) -> None:
    """Share right against confidence, in the bins of the calibration error; below it how many rows each bin has."""
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    rows, confidence, right = reliability(answers)
    edges = np.linspace(0, 1, N_CALIBRATION_BINS + 1)
    lowest = max(0.0, edges[np.flatnonzero(rows)[0]] - 0.02)
    upper.plot([0, 1], [0, 1], color=GUIDE, linestyle=":", linewidth=1, label="as sure as right")
    filled = rows >= FEW_ROWS
    upper.plot(confidence[filled], right[filled], color=BLUE, marker="o", label="share right")
    upper.plot(confidence[~filled], right[~filled], "o", color=BLUE, markerfacecolor="white")
    upper.vlines(confidence, confidence, right, color=VERMILION, linewidth=2.5, alpha=0.6, label="distance")
    upper.set(xlim=(lowest, 1.02), ylim=(-0.02, 1.05), ylabel="share right")
    upper.legend(loc="lower right")
    lower.stairs(rows, edges, color=BLUE, fill=True, facecolor=SKY, hatch="///", edgecolor=BLUE, linewidth=0.8)
    lower.set(xlabel="confidence (largest probability)", ylabel="rows", yscale="symlog", ylim=(0, None))
    lower.set_yticks(ticks := [n for n in (0, 10, 1000, 100_000) if n <= rows.max()], [f"{n:,}" for n in ticks])
    for axis in (upper.yaxis, lower.xaxis):
        percent_axis(axis)
