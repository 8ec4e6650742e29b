"""Charts of a head that estimates a number, such as an age in years."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...measuring import Answers
from ...metrics.regression import YEAR_TOLERANCES
from ..style import BLACK, BLUE, GUIDE, SKY, VERMILION, look

_N_BINS = 60
#: With more points than this single ones cannot be seen.
_MANY = 1500


def _unit(answers: Answers) -> str:
    unit = answers.head.target.unit
    return f" ({unit})" if unit else ""


def draw_predicted_against_true(figure: Any, answers: Answers) -> None:
    """Each row a point; the diagonal is right, for years with lines 5 and 10 beside it."""
    axes = figure.subplots()
    truth, guess = answers.y, answers.raw
    low, high = float(min(truth.min(), guess.min())), float(max(truth.max(), guess.max()))
    many = len(truth) > _MANY
    axes.plot(truth, guess, "o", color=BLUE, markersize=2.2 if many else 3.5, alpha=0.3 if many else 0.5, mew=0)
    ends = np.array([low, high])
    axes.plot(ends, ends, color=BLACK, linewidth=1, label="right")
    tolerances = YEAR_TOLERANCES if answers.head.target.unit == "years" else ()
    for i, tolerance in enumerate(tolerances):
        colour, line = look(i + 1).colour, look(i + 1).line
        axes.plot(ends, ends + tolerance, color=colour, linestyle=line, linewidth=1.2, label=f"± {tolerance:g}")
        axes.plot(ends, ends - tolerance, color=colour, linestyle=line, linewidth=1.2)
    axes.set(xlabel=f"true{_unit(answers)}", ylabel=f"predicted{_unit(answers)}", xlim=(low, high), ylim=(low, high))
    axes.legend(loc="upper left")


def draw_errors(figure: Any, answers: Answers) -> None:
    """How often which error is made; beyond the ends are the half percent of the largest on each side."""
    axes = figure.subplots()
    error = answers.raw - answers.y
    low, high = np.quantile(error, [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1, _N_BINS + 1)
    counts, _ = np.histogram(error, edges)
    axes.stairs(counts, edges, fill=True, facecolor=SKY, edgecolor=BLUE, linewidth=0.8)
    axes.axvline(0, color=GUIDE, linewidth=1)
    middle = float(np.median(error))
    axes.axvline(middle, color=VERMILION, linestyle="--", linewidth=1.4, label=f"median {middle:+.1f}")
    axes.set(xlabel=f"predicted − true{_unit(answers)}", ylabel="rows")
    axes.legend(loc="upper right")
