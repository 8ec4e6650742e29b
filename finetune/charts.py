"""Pictures of a training, readable in gray: how loss and score went, and where embeddings lie."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faceheads.report.charts.embedding_map import MAX_CLASSES, draw_map
from faceheads.report.style import BLUE, GUIDE, VERMILION, draw_png
from faceheads.report.training.embeddings import MAX_POINTS, principal_components

from .history import EPOCHS, STEPS
from .recipes import Recipe

#: Steps that the smoothed loss is a mean of, as a share of all.
_SMOOTHED = 0.05
_CURVES_SIZE = (6.0, 4.4)


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def curves_png(folder: Path) -> bytes:
    """Loss by step and score by epoch, from the logs of a training."""
    steps, epochs = pd.read_csv(folder / STEPS), pd.read_csv(folder / EPOCHS)
    return draw_png(partial(_draw_curves, steps=steps, epochs=epochs), _CURVES_SIZE)


def _draw_curves(figure: Any, steps: pd.DataFrame, epochs: pd.DataFrame) -> None:
    upper, lower = figure.subplots(2, sharex=True)
    smoothed = steps["loss"].rolling(max(1, round(_SMOOTHED * len(steps))), min_periods=1, center=True).mean()
    upper.plot(steps["step"], steps["loss"], color=GUIDE, linewidth=0.6, label="of each step")
    upper.plot(steps["step"], smoothed, color=BLUE, label="smoothed")
    upper.set(ylabel="loss")
    upper.legend(loc="upper right")
    best = epochs.loc[epochs["score"].idxmin()]
    lower.plot(epochs["step"], epochs["score"], color=BLUE, marker="o", label="validation part")
    lower.plot([best["step"]], [best["score"]], "s", color=VERMILION, markersize=8, label="kept")
    lower.set(xlabel="step", ylabel="score (lower is better)")
    lower.xaxis.get_major_locator().set_params(integer=True)
    lower.legend(loc="upper right")


def embeddings_png(embedding: np.ndarray, labels: pd.Series) -> bytes:
    """Embeddings on the plane of their two principal components.

    Parameters
    ----------
    embedding : ndarray of shape (n_rows, dimension)
    labels : Series of n_rows rows, categorical
        Rows without one are not shown, and no more rows than fit are.
    """
    rows = np.flatnonzero(labels.notna())
    rows = rows[:: -(-len(rows) // MAX_POINTS)]
    points, _ = principal_components(embedding[rows])
    return draw_png(partial(draw_map, points=points, labels=labels.iloc[rows].cat.remove_unused_categories()))


def colours_of(recipe: Recipe, labels: pd.DataFrame) -> pd.Series:
    """What tells points apart: classes that are learned, fakes, or the persons with most photos, by number only; or nothing."""
    if recipe.task == "quadruplet":
        is_fake = labels["fake"].astype(int).to_numpy() == 1
        return pd.Series(pd.Categorical(np.where(is_fake, "fake", "photo")))
    if recipe.needs_persons:
        return _most_photographed(labels["identity"])
    if recipe.needs_attributes:
        return pd.Series(pd.Categorical(labels[recipe.targets[0]].astype(str)), name=recipe.targets[0])
    return pd.Series(pd.Categorical(["face"] * len(labels)))


def _most_photographed(identity: pd.Series) -> pd.Series:
    """Without names: pictures are passed on."""
    people = identity.astype(str).value_counts(sort=True).index[:MAX_CLASSES]
    numbers = {name: f"person {number + 1}" for number, name in enumerate(people)}
    return pd.Series(pd.Categorical(identity.astype(str).map(numbers), list(numbers.values())))
