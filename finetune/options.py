"""The options of ``python -m finetune``."""

from __future__ import annotations

import argparse
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path

from .augment import Augmentation
from .recipes import RECIPES, Recipe, find_recipe
from .session import EMBEDDER

_RECIPE_NAMES = frozenset(item.name for item in fields(Recipe) if item.default is not MISSING)


def finetune_parser() -> argparse.ArgumentParser:
    """The parser of ``python -m finetune``."""
    parser = argparse.ArgumentParser(
        prog="python -m finetune",
        description="Train an embedding network on crops and labels; feature_extraction.py --embedder runs what comes out.",
    )
    parser.add_argument(
        "--crops", required=True, type=Path, metavar="DIR", help="what feature_extraction.py --save_crops wrote"
    )
    parser.add_argument("--feature", required=True, type=Path, help="the feature table of the same extraction")
    parser.add_argument("--label", type=Path, help="labels (default: NAME.label.csv beside the table)")
    parser.add_argument(
        "--recipe",
        required=True,
        metavar="NAME|FILE",
        help=f"what is learned, and how: {', '.join(sorted(RECIPES))}, a .yaml file or settings.json of a run",
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help=f"for logs, checkpoints and {EMBEDDER}/"
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        metavar="TABLE",
        help="feature table whose embeddings of the same faces those of the network shall stay near to",
    )
    parser.add_argument("--card", type=Path, help="JSON with the model card's words on data, terms, use and contact")
    parser.add_argument("--tensorboard", action="store_true", help="write logs for TensorBoard too")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    parser.add_argument(
        "--dry-run", action="store_true", help="make a few steps, say what the whole would take, and stop"
    )
    parser.add_argument("--onnx", action="store_true", help=f"write {EMBEDDER}.onnx too, for --embedder and others")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--compile", action="store_true", help="run the network through torch.compile")
    parser.add_argument("--jobs", type=int, help="processes that decode crops (default: one a core)")
    _add_split_options(parser)
    _add_recipe_options(parser)
    return parser


def _add_split_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("parts")
    group.add_argument("--split", default="auto", help="what is kept for the test and not seen here, as in train.py")
    group.add_argument("--test_size", type=float, default=0.2, help="of a random split (default: %(default)s)")
    group.add_argument("--split_seed", type=int, default=0, help="of the parts: --seed of train.py (default: 0)")
    group.add_argument("--groups", default="auto", help="who stays on one side, as in train.py")
    group.add_argument(
        "--validation_size",
        type=float,
        default=0.1,
        help="share of the rest that ends training (default: %(default)s)",
    )


def _add_recipe_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings", "of the recipe, each with the recipe's value as default")
    for item in fields(Recipe):
        if item.name not in ("task", "augmentation"):
            _add_option(group, item)
    group = parser.add_argument_group("augmentation", "of training crops")
    for item in fields(Augmentation):
        _add_option(group, item)


def _add_option(group: argparse._ArgumentGroup, item: Field) -> None:
    holders = RECIPES.values() if item.name in _RECIPE_NAMES else [one.augmentation for one in RECIPES.values()]
    values = {getattr(one, item.name) for one in holders}
    default = f"; default {', '.join(map(str, sorted(values)))}" if values != {""} else ""
    words, choices = item.metadata["help"], item.metadata["choices"]
    group.add_argument(f"--{item.name}", type=type(item.default), choices=choices, help=words + default)


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The recipe that was named, with the settings that were given."""
    base = find_recipe(args.recipe)
    chosen = {name: getattr(args, name) for name in _RECIPE_NAMES if getattr(args, name) is not None}
    changed = {item.name: getattr(args, item.name) for item in fields(Augmentation)}
    changed = {name: value for name, value in changed.items() if value is not None}
    return replace(base, **chosen, augmentation=replace(base.augmentation, **changed))
