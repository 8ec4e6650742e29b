"""Embeddings of crops as they are, and what a task makes of those of the validation part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .examples import Examples
from .execution import Execution
from .loader import BatchLoader
from .model import Model

#: Crops of a batch.
BATCH_SIZE = 128


@dataclass(frozen=True, eq=False)
class Validation:
    """What became of the validation part.

    Attributes
    ----------
    figures : dict of str to float
        As the task's ``metrics`` gives them, the same in all processes.
    embedding : Tensor of shape (n_validation, dimension)
    """

    figures: dict[str, float]
    embedding: Tensor


class Evaluator:
    """Runs networks without changing them.

    Parameters
    ----------
    examples : Examples
    execution : Execution
    """

    def __init__(self, examples: Examples, execution: Execution) -> None:
        self._examples = examples
        self._device = execution.device
        self._processes = execution.processes
        self._loader = BatchLoader(examples.pixels, execution.device)

    def validate(self, model: Model) -> Validation:
        """The figures of the validation part."""
        rows = self._examples.validation
        embedding = self.embed(model, rows)
        return Validation(self._processes.agreed(self.measure(model, embedding, rows)), embedding)

    @torch.inference_mode()
    def measure(self, model: Model, embedding: Tensor, rows: np.ndarray) -> dict[str, float]:
        """What the task says of embeddings of rows."""
        return model.eval().task.metrics(embedding, torch.from_numpy(rows).to(self._device))

    @torch.inference_mode()
    def embed(self, model: Model, rows: np.ndarray) -> Tensor:
        """Embeddings of rows, float of shape (n_rows, dimension)."""
        network = model.network.eval()
        own = rows[self._processes.share(len(rows)).rows]
        parts = np.array_split(own, -(-len(own) // BATCH_SIZE))
        batches = self._loader.batches(self._examples.crop_row[part] for part in parts)
        return self._processes.gathered(torch.cat([network(crops, model.layers) for crops in batches]), len(rows))
