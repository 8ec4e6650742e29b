"""The task of a recipe for the labels of a training set."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch

from faceheads.labels import LabelError

from ..losses.classes import class_weights
from ..recipes import Recipe
from .attributes import AgeTask, AttributesTask, ClassTask
from .identities import MarginTask, QuadrupletTask
from .task import Task


def make_task(recipe: Recipe, labels: pd.DataFrame, is_validation: np.ndarray, dimension: int) -> Task:
    """The task, with fresh parameters.

    Parameters
    ----------
    recipe : Recipe
    labels : DataFrame of n_rows rows
        With the recipe's columns.
    is_validation : ndarray of shape (n_rows,), bool
    dimension : int
        Of the embedding.

    Raises
    ------
    LabelError
        If the labels do not fit the task.
    """
    return _MAKERS[recipe.task](recipe, labels, is_validation, dimension)


def class_codes(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    """The number of each row's class, int64, and the classes' names in alphabetical order.

    Raises
    ------
    LabelError
        If there is one class only.
    """
    codes, names = pd.factorize(values.astype(str), sort=True)
    if len(names) < 2:
        raise LabelError(f"{values.name!r} must have two classes or more; got {list(names)}.")
    return codes.astype(np.int64), list(names)


def person_codes(identity: pd.Series, is_validation: np.ndarray) -> tuple[np.ndarray, int]:
    """The number of each row's person, those of the training part first, and how many they are."""
    names = identity.astype(str).to_numpy()
    known = np.unique(names[~is_validation])
    order = [*known, *np.setdiff1d(names, known)]
    return pd.Index(order).get_indexer(names).astype(np.int64), len(known)


def _gender(recipe: Recipe, labels: pd.DataFrame, is_validation: np.ndarray, dimension: int) -> ClassTask:
    codes, names = class_codes(labels["gender"])
    weights = class_weights(codes[~is_validation], len(names)) if recipe.balance == "weights" else None
    return ClassTask(
        "gender", torch.from_numpy(codes), len(names), dimension, recipe.smoothing, recipe.focal_gamma, weights
    )


def _age_gender(recipe: Recipe, labels: pd.DataFrame, is_validation: np.ndarray, dimension: int) -> AttributesTask:
    ages = pd.to_numeric(labels["age"], errors="coerce").to_numpy(np.float32)
    if not np.isfinite(ages).all():
        raise LabelError(f"'age' must be a number of years; {np.sum(~np.isfinite(ages))} rows have none.")
    age = AgeTask(torch.from_numpy(ages), dimension, recipe.age_loss, recipe.age_deviation)
    return AttributesTask([_gender(recipe, labels, is_validation, dimension), age], [1.0, recipe.age_weight])


def _arcface(recipe: Recipe, labels: pd.DataFrame, is_validation: np.ndarray, dimension: int) -> MarginTask:
    person, n_persons = person_codes(labels["identity"], is_validation)
    settings = (recipe.margin_kind, recipe.scale, recipe.margin, recipe.persons_start == "mean")
    return MarginTask(torch.from_numpy(person), n_persons, dimension, *settings)


def _quadruplet(recipe: Recipe, labels: pd.DataFrame, is_validation: np.ndarray, _dimension: int) -> QuadrupletTask:
    person, _ = person_codes(labels["identity"], is_validation)
    is_fake = torch.from_numpy(labels["fake"].astype(int).to_numpy() == 1)
    if not is_fake.any() or is_fake.all():
        raise LabelError("'fake' must be 1 for fakes and 0 for photos, and both must occur.")
    margin = recipe.margin if recipe.margin >= 0 else None
    return QuadrupletTask(torch.from_numpy(person), is_fake, margin, recipe.fake_weight)


_MAKERS: Mapping[str, Callable[[Recipe, pd.DataFrame, np.ndarray, int], Task]] = {
    "gender": _gender,
    "age_gender": _age_gender,
    "arcface": _arcface,
    "quadruplet": _quadruplet,
}
