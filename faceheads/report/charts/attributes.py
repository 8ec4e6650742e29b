"""Many attributes in one picture, those that are told best first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...metrics.intervals import Estimate
from ..style import BLUE, SIZE, SKY, VERMILION, percent_axis, shorten

_METRIC = "accuracy"


def attributes_size(n_attributes: int) -> tuple[float, float]:
    """Width and height in inches that ``n_attributes`` need."""
    return SIZE[0], 1.0 + 0.17 * max(n_attributes, 4)


def draw_attributes(
    figure: Any,
    attributes: Mapping[str, Mapping[str, Estimate]],
    baselines: Mapping[str, Mapping[str, Estimate]],
) -> None:
    """Accuracy of each attribute with its interval, and that of the more frequent value.

    Parameters
    ----------
    figure : matplotlib figure
    attributes, baselines : mapping of attribute to mapping of metric to Estimate
        As a report of many attributes has them.
    """
    axes = figure.subplots()
    names = sorted(attributes, key=lambda name: -attributes[name][_METRIC].value)
    found = [attributes[name][_METRIC] for name in names]
    positions = range(len(names))
    axes.barh(positions, [e.high - e.low for e in found], left=[e.low for e in found], height=0.55, color=SKY)
    axes.plot([e.value for e in found], positions, "o", color=BLUE, markersize=3.5, label="head")
    always = [baselines[name][_METRIC].value for name in names]
    axes.plot(always, positions, "x", color=VERMILION, markersize=4, label="more frequent value")
    axes.set_yticks(positions, [shorten(name, 24) for name in names], fontsize=7)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("accuracy")
    axes.grid(axis="y", visible=False)
    percent_axis(axes.xaxis)
    figure.legend(loc="outside upper center", ncols=2)
