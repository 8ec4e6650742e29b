"""Pictures of how many rows there are: bars of classes and cohorts, histograms of numbers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..report.document import Picture
from ..report.style import SIZE, draw_png, look, shorten
from ..splits import TEST, TRAIN
from ..targets import REGRESSION
from .subject import Subject

#: More classes than this are in the table only.
_MAX_BARS = 40
_N_BINS = 30


def balance_pictures(subject: Subject) -> tuple[Picture, ...]:
    """A histogram of each number and bars of each class and cohort, by part; crossed ones are in the table only."""
    numeric = [target.name for target in subject.targets if target.task == REGRESSION]
    pictures = [_histogram(f"histogram_{i}", subject, name) for i, name in enumerate(numeric)]
    single = {name: values for name, values in subject.columns.items() if " × " not in name and name not in numeric}
    for i, (name, values) in enumerate(single.items()):
        if len(values.categories) <= _MAX_BARS:
            pictures.append(_bars(f"balance_{i}", subject, name, values))
    return tuple(pictures)


def _bars(file: str, subject: Subject, name: str, values: pd.Categorical) -> Picture:
    counts = {part: values[subject.samples.parts == part].value_counts().to_numpy() for part in (TRAIN, TEST)}
    size = SIZE[0], 1.1 + 0.3 * max(len(values.categories), 2)
    draw = partial(_draw_bars, names=list(values.categories), counts=counts, label=name)
    return Picture(file, draw_png(draw, size), f"Rows by {name}")


def _draw_bars(figure: Any, names: list[str], counts: dict[str, np.ndarray], label: str) -> None:
    axes = figure.subplots()
    places, left = np.arange(len(names)), np.zeros(len(names))
    for i, (part, n) in enumerate(counts.items()):
        style = look(i)
        axes.barh(
            places, n, left=left, height=0.7, color=style.colour, hatch=style.hatch, edgecolor="white", label=part
        )
        left = left + n
    axes.set_yticks(places, [shorten(name) for name in names])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_ylabel(label)
    axes.set_xlabel("rows")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(counts))


def _histogram(file: str, subject: Subject, name: str) -> Picture:
    numbers = subject.samples.labels[name].to_numpy(np.float64)
    parts = {part: numbers[subject.samples.in_part(part) & np.isfinite(numbers)] for part in (TRAIN, TEST)}
    edges = np.histogram_bin_edges(numbers[np.isfinite(numbers)], _N_BINS)
    unit = next(target.unit for target in subject.targets if target.name == name)
    label = f"{name}, {unit}" if unit else name
    draw = partial(_draw_histogram, parts=parts, edges=edges, label=label)
    return Picture(file, draw_png(draw), f"Histogram of {name}")


def _draw_histogram(figure: Any, parts: dict[str, np.ndarray], edges: np.ndarray, label: str) -> None:
    axes = figure.subplots()
    styles = [look(i) for i in range(len(parts))]
    axes.hist(
        list(parts.values()),
        edges,
        stacked=True,
        color=[style.colour for style in styles],
        label=list(parts),
        rwidth=0.9,
    )
    axes.set_xlabel(label)
    axes.set_ylabel("rows")
    axes.legend()
