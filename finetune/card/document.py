"""The model card as a document."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch

import faceheads
from faceheads.metrics import Estimate
from faceheads.metrics.cohorts import Cohort
from faceheads.report.document import (
    Block,
    Command,
    Document,
    Heading,
    Note,
    Picture,
    Pictures,
    Section,
    Table,
    Text,
)
from faceheads.report.training import ModelCard
from faceheads.spec import EmbedderSpec
from faceheads.wording import estimate_text, metric_label

from ..recipes import Recipe
from . import words
from .measuring import Measurement

#: Cohorts without figures that are named.
MAX_NAMED = 20


@dataclass(frozen=True, eq=False)
class Origin:
    """What a network comes from.

    Attributes
    ----------
    recipe : Recipe
    spec : EmbedderSpec
    n_train, n_validation, n_test, n_unlabelled : int
        Crops that were learned from, validated on, left out for the test, and without a label.
    n_groups : tuple of (int, int)
        Persons or photos of the training part and of the validation part.
    split_by, grouped_by : str
        In words.
    data_sha256 : str
        Of photos, labels and parts.
    epochs : DataFrame
        ``epochs.csv``.
    export_difference : float
    has_teacher : bool, default=False
        Whether embeddings were held near to those of a table.
    """

    recipe: Recipe
    spec: EmbedderSpec
    n_train: int
    n_validation: int
    n_test: int
    n_unlabelled: int
    n_groups: tuple[int, int]
    split_by: str
    grouped_by: str
    data_sha256: str
    epochs: pd.DataFrame
    export_difference: float
    has_teacher: bool = False


def card_document(
    origin: Origin, measured: Sequence[Measurement], card: ModelCard, pictures: Sequence[Picture] = ()
) -> Document:
    """The card.

    Parameters
    ----------
    origin : Origin
    measured : sequence of Measurement
        Of the validation part.
    card : ModelCard
        What only people know.
    pictures : sequence of Picture
        Curves and embeddings; may be empty.
    """
    recipe, spec = origin.recipe, origin.spec
    lead = (
        f"A network that turns crops ({spec.crop.get('kind')}, {spec.landmark_scheme} landmarks) into {spec.dimension} numbers: "
        f"{spec.network}, layers {', '.join(spec.layers)}, trained with the recipe {recipe.task}. "
        f"sha256 of its weights: {spec.weights_sha256}."
    )
    sections = (
        Section("Data", tuple(_data(origin, card))),
        Section("Training", tuple(_training(origin, pictures))),
        Section("How well", tuple(_measured(measured))),
        Section("Use", tuple(_use(recipe, card))),
    )
    footer = f"faceheads {faceheads.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    return Document("Model card of an embedding network", lead, sections, footer)


def _data(origin: Origin, card: ModelCard) -> list[Block]:
    rows = (
        ("learned from", f"{origin.n_train:,}", f"{origin.n_groups[0]:,}"),
        ("validated on", f"{origin.n_validation:,}", f"{origin.n_groups[1]:,}"),
        ("left out for the test, not seen", f"{origin.n_test:,}", ""),
        ("left out without a label", f"{origin.n_unlabelled:,}", ""),
    )
    return [
        Text(f"What the photos and labels are, and who made them: {card.data}."),
        Text(f"Their terms: {card.terms}."),
        Table(("part", "crops", "groups"), rows, f"Groups: {origin.grouped_by}. Test part: {origin.split_by}."),
        Text(f"sha256 of photos, labels and parts: {origin.data_sha256}."),
    ]


def _training(origin: Origin, pictures: Sequence[Picture]) -> list[Block]:
    loss = f"What was made small: {words.losses(origin.recipe, origin.has_teacher)}."
    exported = f"The exported weights give the numbers of the trained ones within {origin.export_difference:.1e}."
    blocks: list[Block] = [Text(words.beginning(origin.recipe)), Text(loss), _epochs(origin.epochs), Text(exported)]
    if pictures:
        blocks.append(Pictures(tuple(pictures)))
    return [*blocks, Heading("Settings"), Command(words.settings(origin.recipe))]


def _epochs(epochs: pd.DataFrame) -> Table:
    """The figures before training, of the epoch that was kept, and of the last one."""
    best = int(epochs["score"].idxmin())
    chosen = {0: "before training", len(epochs) - 1: "last epoch", best: "kept"}
    names = [name for name in epochs.columns if name not in ("step", "epoch")]
    rows = [
        (chosen[i], str(int(epochs["epoch"].iloc[i])), *(f"{epochs[name].iloc[i]:.4g}" for name in names))
        for i in sorted(chosen)
    ]
    return Table(("", "epoch", *names), tuple(rows), "Figures of the validation part; training made the score small.")


def _measured(measured: Sequence[Measurement]) -> list[Block]:
    blocks: list[Block] = [
        Note(
            "Measured on the validation part, which decided which epoch is kept, with what was trained on top of the "
            "network: a little too good to be true. What is exported is the network alone. The test part tells how good heads "
            "on it are: train.py with the same --split."
        )
    ]
    for one in measured:
        blocks += [Heading(one.name), _table("", [("all rows", "", "", one.metrics)], list(one.metrics))]
        blocks += [block for column, cohorts in one.cohorts.items() for block in _cohorts(column, cohorts, one)]
    return blocks


def _cohorts(column: str, cohorts: Sequence[Cohort], of: Measurement) -> list[Block]:
    shown = [cohort for cohort in cohorts if cohort.metrics]
    hidden = [cohort for cohort in cohorts if not cohort.metrics]
    names = [name for name in of.metrics if any(_is_told(cohort.metrics[name]) for cohort in shown)]
    rows = [(cohort.name, f"{cohort.n_rows:,}", f"{cohort.n_groups:,}", cohort.metrics) for cohort in shown]
    blocks: list[Block] = [_table(f"by {column}", rows, names)] if rows else [Text(f"By {column}:")]
    if hidden:
        others = f" and {len(hidden) - MAX_NAMED} others" if len(hidden) > MAX_NAMED else ""
        named = ", ".join(cohort.name for cohort in hidden[:MAX_NAMED])
        blocks.append(Text(f"{named}{others}: {hidden[0].note}."))
    return blocks


def _is_told(estimate: Estimate) -> bool:
    return estimate.value == estimate.value


def _table(what: str, rows: Sequence[tuple], names: Sequence[str]) -> Table:
    header = (what, "rows", "groups", *(f"{metric_label(name)} [95 %]" for name in names))
    cells = tuple((*row[:3], *(estimate_text(name, row[3][name]) for name in names)) for row in rows)
    if any(row[1] for row in cells):
        return Table(header, cells)
    return Table((header[0], *header[3:]), tuple((row[0], *row[3:]) for row in cells))


def _use(recipe: Recipe, card: ModelCard) -> list[Block]:
    return [
        Text(f"Meant for: {card.intended_use}."),
        Note(f"Not for: {card.excluded_use}."),
        Text(f"Licence: {words.beginning(recipe)}"),
        Text(f"Contact: {card.contact}."),
    ]
