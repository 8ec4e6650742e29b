"""A map of the embeddings: near one another what the network finds alike, coloured by label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..style import look, shorten

#: More classes than this cannot be told apart.
MAX_CLASSES = 7


def draw_map(figure: Any, points: np.ndarray, labels: pd.Series) -> None:
    """Points on the plane, coloured and marked by class, or shaded by number.

    Parameters
    ----------
    figure : matplotlib figure
    points : ndarray of shape (n_points, 2)
    labels : Series of length n_points
        Numbers, or a categorical.
    """
    axes = figure.subplots()
    if isinstance(labels.dtype, pd.CategoricalDtype):
        _draw_classes(axes, points, labels)
    else:
        shown = axes.scatter(*points.T, c=labels.to_numpy(float), cmap="cividis", s=9, linewidths=0)
        figure.colorbar(shown, ax=axes, label=shorten(labels.name), fraction=0.05).outline.set_visible(False)
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[["left", "bottom"]].set_visible(False)


def _draw_classes(axes: Any, points: np.ndarray, labels: pd.Series) -> None:
    codes = labels.cat.codes.to_numpy()
    for i, name in enumerate(labels.cat.categories):
        own = points[codes == i]
        if len(own):
            style = look(i)
            axes.scatter(
                *own.T, s=11, marker=style.marker, color=style.colour, alpha=0.65, linewidths=0, label=shorten(name)
            )
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, markerscale=1.6, handletextpad=0.2)
