"""Confusion matrices: which class, or which decade, is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...measuring import Answers
from ...metrics.intervals import ratio
from ..style import QUIET, SHADES, SIZE, shorten

#: More classes than this cannot be read.
MAX_CLASSES = 16
_DARK = 0.55


def confusion_counts(answers: Answers) -> np.ndarray:
    """Rows by true class (first axis) and decided class, int64 of shape (n_classes, n_classes)."""
    n = len(answers.head.target.classes)
    return np.bincount(answers.y * n + answers.decided, minlength=n * n).reshape(n, n)


def confusion_size(n_classes: int) -> tuple[float, float]:
    """Width and height in inches that ``n_classes`` need."""
    return SIZE[0], max(SIZE[1], 0.9 + 0.3 * n_classes)


def draw_confusion(figure: Any, counts: np.ndarray, names: Sequence[object], what: str) -> None:
    """Counts in cells that are as dark as their share of the row, which is the true class.

    Parameters
    ----------
    figure : matplotlib figure
    counts : ndarray of shape (n_classes, n_classes)
        First axis true, second decided.
    names : sequence of length n_classes
    what : str
        What the classes are, such as ``"class"`` or ``"decade"``.
    """
    axes = figure.subplots()
    shares = ratio(counts, np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape))
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    labels = [shorten(str(name).replace(" to ", "–"), 14) for name in names]
    turn = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if len(names) > 3 else {}
    axes.set_xticks(range(len(names)), labels, **turn)
    axes.set_yticks(range(len(names)), labels)
    axes.grid(False)
    axes.set(xlabel=f"decided {what}", ylabel=f"true {what}")
    size = 9 if len(names) <= 6 else 6.5
    for (i, j), n in np.ndenumerate(counts):
        dark = shares[i, j] > _DARK
        share = "" if len(names) > 6 or np.isnan(shares[i, j]) else f"\n{100 * shares[i, j]:.1f} %"
        if n or len(names) <= 6:
            colour = "white" if dark else "black" if n else QUIET
            axes.text(j, i, f"{n:,}{share}", ha="center", va="center", color=colour, fontsize=size)
