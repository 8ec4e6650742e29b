"""The task of a recipe for the labels of a training set."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch

from faceheads.labels import LabelError

from ..losses.bona_fide import BonaFideHead
from ..losses.classes import class_weights
from ..losses.margin import MarginSoftmax
from ..recipes import Recipe
from .attributes import AgeTask, ClassTask
from .cohorts import CohortTask
from .distilled import DistilledTask, TeacherTask
from .joint import CriteriaTask, JointTask
from .margins import MarginTask
from .task import Task
from .triplets import QuadrupletTask, TripletTask

#: More values than this are no cohorts.
MAX_COHORTS = 20


def make_task(
    recipe: Recipe,
    labels: pd.DataFrame,
    is_validation: np.ndarray,
    dimension: int,
    teacher: np.ndarray | None = None,
) -> Task:
    """The task, with fresh parameters.

    Parameters
    ----------
    recipe : Recipe
    labels : DataFrame of n_rows rows
        With the recipe's columns.
    is_validation : ndarray of shape (n_rows,), bool
    dimension : int
        Of the embedding.
    teacher : ndarray of shape (n_rows, n_numbers), float32, optional
        Embeddings that those of the network shall be near to.

    Raises
    ------
    LabelError
        If the labels do not fit the task.
    """
    teaching = None
    if teacher is not None:
        train = torch.from_numpy(np.flatnonzero(~is_validation))
        teaching = TeacherTask(torch.from_numpy(teacher), dimension, recipe.distil_loss, train)
    if recipe.task == "distil":
        if teaching is None:
            raise LabelError("the recipe 'distil' learns from a teacher alone. Give --teacher TABLE.")
        return teaching
    task = _MAKERS[recipe.task](recipe, labels, is_validation, dimension)
    if recipe.cohort:
        codes, names = cohort_codes(labels[recipe.cohort])
        task = CohortTask(task, torch.from_numpy(codes), names, recipe.gap_weight)
    return task if teaching is None else DistilledTask(task, teaching, recipe.distil_weight)


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


def cohort_codes(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    """The number of each row's cohort, int64, and the cohorts' names in alphabetical order.

    Raises
    ------
    LabelError
        If there are fewer than two or more than :data:`MAX_COHORTS`.
    """
    codes, names = class_codes(values)
    if len(names) > MAX_COHORTS:
        raise LabelError(
            f"--cohort must be a column of 2 to {MAX_COHORTS} cohorts; {values.name!r} has {len(names)}. Label bands of it."
        )
    return codes, names


def person_codes(identity: pd.Series, is_validation: np.ndarray) -> tuple[np.ndarray, int]:
    """The number of each row's person, those of the training part first, and how many they are."""
    names = identity.astype(str).to_numpy()
    known = np.unique(names[~is_validation])
    order = [*known, *np.setdiff1d(names, known)]
    return pd.Index(order).get_indexer(names).astype(np.int64), len(known)


def _classes(recipe: Recipe, column: pd.Series, is_validation: np.ndarray, dimension: int) -> ClassTask:
    codes, names = class_codes(column)
    weights = class_weights(codes[~is_validation], len(names)) if recipe.balance == "weights" else None
    settings = (len(names), dimension, recipe.smoothing, recipe.focal_gamma, weights)
    return ClassTask(str(column.name), torch.from_numpy(codes), *settings)


def _gender(recipe: Recipe, labels: pd.DataFrame, is_validation: np.ndarray, dimension: int) -> ClassTask:
    return _classes(recipe, labels["gender"], is_validation, dimension)


def _criterion(
    recipe: Recipe, labels: pd.DataFrame, is_validation: np.ndarray, dimension: int
) -> ClassTask | CriteriaTask:
    for name in recipe.targets:
        values = sorted(labels[name].astype(str).unique())
        if len(values) != 2:
            raise LabelError(f"--target must be a column of two values; {name!r} has {len(values)}: {values[:5]}.")
    tasks = [_classes(recipe, labels[name], is_validation, dimension) for name in recipe.targets]
    return tasks[0] if len(tasks) == 1 else CriteriaTask(tasks)


def _age_gender(recipe: Recipe, labels: pd.DataFrame, is_validation: np.ndarray, dimension: int) -> JointTask:
    ages = pd.to_numeric(labels["age"], errors="coerce").to_numpy(np.float32)
    if not np.isfinite(ages).all():
        raise LabelError(f"'age' must be a number of years; {np.sum(~np.isfinite(ages))} rows have none.")
    age = AgeTask(torch.from_numpy(ages), dimension, recipe.age_loss, recipe.age_deviation)
    return JointTask([_gender(recipe, labels, is_validation, dimension), age], [1.0, recipe.age_weight])


def _arcface(recipe: Recipe, labels: pd.DataFrame, is_validation: np.ndarray, dimension: int) -> MarginTask:
    person, n_persons = person_codes(labels["identity"], is_validation)
    settings = (recipe.margin_kind, recipe.scale, recipe.margin, recipe.persons_start == "mean")
    return MarginTask(torch.from_numpy(person), n_persons, dimension, *settings)


def _triplet(recipe: Recipe, labels: pd.DataFrame, is_validation: np.ndarray, _dimension: int) -> TripletTask:
    person, _ = person_codes(labels["identity"], is_validation)
    return TripletTask(torch.from_numpy(person), _margin(recipe))


def _margin(recipe: Recipe) -> float | None:
    return recipe.margin if recipe.margin >= 0 else None


def _quadruplet(recipe: Recipe, labels: pd.DataFrame, is_validation: np.ndarray, dimension: int) -> QuadrupletTask:
    person, n_persons = person_codes(labels["identity"], is_validation)
    is_fake = torch.from_numpy(labels["fake"].astype(int).to_numpy() == 1)
    if not is_fake.any() or is_fake.all():
        raise LabelError("'fake' must be 1 for fakes and 0 for photos, and both must occur.")
    cosine = MarginSoftmax(dimension, n_persons, "cosface", recipe.scale, 0.0) if recipe.cosine_weight else None
    bona_fide = BonaFideHead(dimension, recipe.scale) if recipe.bona_fide_weight else None
    heads = (cosine, recipe.cosine_weight, bona_fide, recipe.bona_fide_weight)
    return QuadrupletTask(torch.from_numpy(person), is_fake, _margin(recipe), recipe.fake_weight, *heads)


_MAKERS: Mapping[str, Callable[[Recipe, pd.DataFrame, np.ndarray, int], Task]] = {
    "gender": _gender,
    "age_gender": _age_gender,
    "criterion": _criterion,
    "arcface": _arcface,
    "triplet": _triplet,
    "quadruplet": _quadruplet,
}
