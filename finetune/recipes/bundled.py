"""The recipes that come with the project, by the name of what they learn."""

from __future__ import annotations

from dataclasses import replace

from ..augment import Augmentation
from .recipe import Recipe

RECIPES = {
    "gender": Recipe("gender"),
    "age_gender": Recipe("age_gender"),
    # What a criterion depends on is not known, so nothing is changed that it may depend on.
    "criterion": Recipe("criterion", augmentation=Augmentation(flip=0.0, colour=0.0)),
    "distil": Recipe("distil"),
    "arcface": Recipe("arcface", ema=0.0),
    "triplet": Recipe("triplet", ema=0.0),
    "quadruplet": Recipe("quadruplet", n_photos=6, ema=0.0),
}


def recipe(name: str, **changes: object) -> Recipe:
    """The recipe of a name, with some settings changed.

    Raises
    ------
    ValueError
        If there is no such recipe, or a setting is out of range.
    """
    if name not in RECIPES:
        raise ValueError(f"--recipe must be one of {sorted(RECIPES)}; got {name!r}.")
    return replace(RECIPES[name], **changes)
