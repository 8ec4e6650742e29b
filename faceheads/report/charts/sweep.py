"""What other thresholds would do to each cohort: a sweep over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...fairness.criterion import MEAN_MINUS_GAP, measure_accuracies
from ...fairness.cuts import Cuts
from ..style import BLACK, look, percent_axis, shorten


def draw_sweep(figure: Any, cuts: Cuts, names: Sequence[str], thresholds: Sequence[float]) -> None:
    """Accuracy of each cohort and mean − gap over the threshold.

    Parameters
    ----------
    figure : matplotlib figure
    cuts : Cuts
        Of the cohorts.
    names : sequence of str
        Of the cohorts.
    thresholds : sequence of float
        In use: one, or one for each cohort.
    """
    axes = figure.subplots()
    inside = np.isfinite(cuts.threshold)
    x, accuracy = cuts.threshold[inside], cuts.accuracy[:, inside]
    for i, (name, values) in enumerate(zip(names, accuracy, strict=True)):
        axes.plot(x, values, color=look(i).colour, linestyle=look(i).line, linewidth=1.4, label=shorten(name))
    score = measure_accuracies(MEAN_MINUS_GAP, accuracy)
    axes.plot(x, score, color=BLACK, linewidth=2.2, label="mean − gap")
    for i, threshold in enumerate(thresholds):
        colour = BLACK if len(thresholds) == 1 else look(i).colour
        axes.axvline(threshold, color=colour, linestyle=":", linewidth=1.3, label="threshold" if not i else None)
    axes.set(xlim=(0, 1), ylim=(max(0.0, float(score.min()) - 0.02), 1.01), xlabel="threshold", ylabel="accuracy")
    percent_axis(axes.yaxis)
    axes.legend(loc="lower center", ncols=2)
