"""The card of a training whose network was exported, written beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from faceheads.networks.exported import SPEC_NAME
from faceheads.report.document import Picture
from faceheads.report.training import ModelCard
from faceheads.report.writing import write_document
from faceheads.spec import EmbedderSpec

from ..charts import can_draw, curves_png
from ..embedding_pictures import picture_path
from ..history import EPOCHS
from ..loop import Trainer
from ..recipes import Recipe
from ..session import EMBEDDER, SETTINGS
from ..training_set import TrainingSet
from .document import Origin, card_document
from .measuring import Measurement, ValidationPart, measure

#: Label columns that are cohorts where they exist, beside those of the recipe.
COHORTS = ("gender", "race", "age")
CARD = "card"


def write_card(
    trainer: Trainer, training: TrainingSet, embedding: Tensor, export_difference: float, card: ModelCard
) -> Path:
    """Write ``embedder/card.md`` and its pictures; returns the file.

    Parameters
    ----------
    trainer : Trainer
        After training and export; its model has the best weights.
    training : TrainingSet
    embedding : Tensor of shape (n_validation, dimension)
        As :func:`finetune.outcomes.best_embedding` gave it.
    export_difference : float
        As :func:`finetune.session.finish` gave it.
    card : ModelCard
        What only people know.
    """
    origin = _origin(trainer, training, export_difference)
    document = card_document(
        origin, _measured(trainer, training, embedding), card, tuple(_pictures(trainer.folder, origin.epochs))
    )
    (path,) = write_document(trainer.folder / EMBEDDER, CARD, document, with_html=False)
    return path


def _origin(trainer: Trainer, training: TrainingSet, export_difference: float) -> Origin:
    folder, is_validation = trainer.folder, training.is_validation
    return Origin(
        recipe=trainer.recipe,
        spec=EmbedderSpec.from_json(json.loads((folder / EMBEDDER / SPEC_NAME).read_text(encoding="utf-8"))),
        n_train=int((~is_validation).sum()),
        n_validation=int(is_validation.sum()),
        n_test=training.n_test,
        n_unlabelled=training.n_unlabelled,
        n_groups=tuple(len(np.unique(training.groups[some])) for some in (~is_validation, is_validation)),
        split_by=training.split_by,
        grouped_by=training.grouped_by,
        data_sha256=json.loads((folder / SETTINGS).read_text(encoding="utf-8"))["data"],
        epochs=pd.read_csv(folder / EPOCHS),
        export_difference=export_difference,
        has_teacher=training.teacher is not None,
    )


def _measured(trainer: Trainer, training: TrainingSet, embedding: Tensor) -> list[Measurement]:
    rows = trainer.examples.validation
    part = ValidationPart(rows, training.labels.iloc[rows], training.groups[rows])
    return measure(trainer.model.task.cpu().eval(), embedding.cpu(), part, _columns(trainer.recipe))


def _columns(recipe: Recipe) -> tuple[str, ...]:
    return (*recipe.cells, *COHORTS)


def _pictures(folder: Path, epochs: pd.DataFrame) -> Iterator[Picture]:
    """How training went, and where embeddings lay before it and in the epoch that was kept."""
    if not can_draw():
        return
    yield Picture("curves", curves_png(folder), "Loss by step; score of the validation part by epoch.")
    kept = int(epochs["epoch"].loc[epochs["score"].idxmin()])
    for epoch, when in {0: "before training", kept: f"of epoch {kept}, which was kept"}.items():
        path = picture_path(folder, epoch)
        if path.is_file():
            words = f"Embeddings of the validation part {when}, on their two principal components."
            yield Picture(path.stem, path.read_bytes(), words)
