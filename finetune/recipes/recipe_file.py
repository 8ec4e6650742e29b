"""Recipes from files: YAML, or the ``settings.json`` of a run.

A file names its task, and the settings that differ from the bundled recipe of that task::

    task: criterion
    target: Eyeglasses
    epochs: 20
    augmentation:
      flip: 0.5
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from faceheads.extra import require_extra

from ..augment import Augmentation
from .bundled import RECIPES, recipe
from .recipe import Recipe

SUFFIXES = (".yaml", ".yml", ".json")
#: What ``settings.json`` of a run holds beside the recipe.
_OF_A_RUN = frozenset({"data"})
_MAX_BYTES = 1 << 20
_TYPE_NAMES = {str: "a text", int: "a whole number", float: "a number"}


class RecipeFileError(ValueError):
    """A recipe file cannot be read or does not hold a recipe; the message says what to do."""


def find_recipe(name: str) -> Recipe:
    """The bundled recipe of a name, or that of a file.

    Parameters
    ----------
    name : str
        A key of :data:`finetune.recipes.RECIPES`, or a path that ends in one of :data:`SUFFIXES`.

    Raises
    ------
    ValueError
        If it is neither, or what the file says is no recipe.
    """
    return read_recipe(Path(name)) if name.lower().endswith(SUFFIXES) else recipe(name)


def read_recipe(path: Path) -> Recipe:
    """The recipe of a file.

    Raises
    ------
    RecipeFileError
        If it cannot be read, names a setting that there is not, or gives one a value of another type.
    MissingPackage
        If it is YAML and PyYAML is not installed.
    ValueError
        If a value is out of its range.
    """
    values = _load(path)
    if not isinstance(values, dict):
        raise RecipeFileError(f"{path} must hold settings, one 'name: value' a line; got {type(values).__name__}.")
    values = {name: value for name, value in values.items() if name not in _OF_A_RUN}
    task = values.get("task")
    if not isinstance(task, str) or task not in RECIPES:
        raise RecipeFileError(f"{path} must say 'task: ' and one of {sorted(RECIPES)}; got {task!r}.")
    inner = values.pop("augmentation", {})
    if not isinstance(inner, dict):
        raise RecipeFileError(f"{path}: 'augmentation' must hold settings, indented below it; got {inner!r}.")
    base = RECIPES[task]
    augmentation = replace(base.augmentation, **_settings(path, inner, Augmentation))
    return replace(base, **_settings(path, values, Recipe), augmentation=augmentation)


def _load(path: Path) -> Any:
    with open(path, "rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise RecipeFileError(f"{path} must be a recipe of a few lines; it is larger than {_MAX_BYTES} bytes.")
    try:
        text = data.decode("utf-8")
        return json.loads(text) if path.suffix.lower() == ".json" else _load_yaml(text)
    except (ValueError, RecursionError) as error:
        raise RecipeFileError(f"{path} cannot be read: {' '.join(str(error).split())}.") from error


def _load_yaml(text: str) -> Any:
    (yaml,) = require_extra("finetune", "A recipe in YAML", "yaml", instead="write it as .json")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _settings(path: Path, values: Mapping, kind: type) -> dict[str, Any]:
    """The values as the fields of a dataclass have them."""
    known = {item.name: item for item in fields(kind) if item.name != "augmentation"}
    for name in values:
        if name not in known:
            near = get_close_matches(str(name), known, 1)
            hint = f"did you mean {near[0]!r}?" if near else "see python -m finetune --help."
            raise RecipeFileError(f"{path}: there is no setting {name!r}; {hint}")
    return {name: _typed(path, known[name], value) for name, value in values.items()}


def _typed(path: Path, item: Field, value: Any) -> Any:
    """The value with the type of a field. YAML reads ``1e-3``, without a point, as a text: it counts as a number."""
    wanted = str if item.default is MISSING else type(item.default)
    refused = RecipeFileError(f"{path}: {item.name!r} must be {_TYPE_NAMES[wanted]}; got {value!r}.")
    if isinstance(value, bool):
        raise refused
    if wanted is float and isinstance(value, str | int):
        try:
            return float(value)
        except (ValueError, OverflowError) as error:
            raise refused from error
    if not isinstance(value, wanted):
        raise refused
    return value
