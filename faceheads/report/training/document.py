"""The whole training report as a document."""

from __future__ import annotations

from ...training import TrainingResult
from ...wording import task_in_words
from ..document import Document, Section
from .card_section import card_section
from .data_section import data_section
from .embeddings import embedding_section
from .head_section import head_section
from .overview import overview_section
from .sources import Sources


def training_document(result: TrainingResult, sources: Sources) -> Document:
    """The report of a training.

    Parameters
    ----------
    result : TrainingResult
    sources : Sources

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    heads = [head_section(result, sources, position) for position in range(len(result.file.heads))]
    sections: list[Section] = [
        overview_section(result),
        data_section(result, sources),
        *heads,
        *embedding_section(result),
        card_section(result, sources),
    ]
    versions = ", ".join(f"{name} {version}" for name, version in result.file.versions.items())
    return Document(_title(result), _lead(result), tuple(sections), f"Made by train.py: {versions}.")


def _title(result: TrainingResult) -> str:
    return "Heads for " + ", ".join(head.target.name for head in result.file.heads)


def _lead(result: TrainingResult) -> str:
    training = result.file.training
    kinds = "; ".join(f"{head.target.name}: {task_in_words(head)}, {head.kind}" for head in result.file.heads)
    return (
        f"{kinds}. Learned from {training['n_train']:,} rows, measured on {training['n_test']:,} others that share no "
        f"group with them. Every figure is of these held-out rows, with a 95 % interval."
    )
