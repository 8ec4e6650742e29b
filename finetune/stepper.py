"""One optimiser step: augmentation, loss, gradients, new weights.

Everything drawn at random in a step depends on the seed and the number of the step alone, never on what was drawn before.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .distortions import Subject
from .execution import Execution
from .freezing import Freezing
from .model import Model
from .optimisation import learning_rate_factor, make_optimiser, set_learning_rate
from .recipes import Recipe

_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, eq=False)
class Batch:
    """A batch as one process has it.

    Attributes
    ----------
    crops : Tensor of shape (n_own, 3, height, width), uint8
        Of this process's share.
    rows : ndarray of shape (n_rows,), int64
        Positions in the training set, of all processes.
    """

    crops: Tensor
    rows: np.ndarray


class Stepper:
    """What makes optimiser steps.

    Parameters
    ----------
    model : Model
        On the device.
    recipe : Recipe
    execution : Execution
    n_steps : int
        Of the whole training.
    face : Subject
        Where the face lies in a crop.

    Raises
    ------
    ValueError
        If half precision is asked for without CUDA.
    """

    def __init__(self, model: Model, recipe: Recipe, execution: Execution, n_steps: int, face: Subject) -> None:
        device = execution.device
        if recipe.precision != "float32" and device.type != "cuda":
            raise ValueError(f"--precision {recipe.precision} needs --device cuda; got {device}.")
        self._model = model
        self._recipe = recipe
        self._device = device
        self._processes = execution.processes
        self._n_steps = n_steps
        self._freezing = Freezing(model.network, recipe, n_at_first=int(not list(model.task.parameters())))
        self._face = face
        self._network = torch.compile(model.network) if execution.is_compiled else model.network
        self._optimiser = make_optimiser(model.network, model.task, recipe)
        self._scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")

    def step(self, number: int, batches: Sequence[Batch]) -> dict[str, Tensor | float]:
        """Change the weights by the gradients of one batch or several.

        Parameters
        ----------
        number : int
            Steps done before.
        batches : sequence of Batch

        Returns
        -------
        dict of str to float or Tensor
            The highest learning rate as ``"lr"``, and the loss and its parts, means over the batches, on the device.
        """
        factor = learning_rate_factor(number, self._n_steps, round(self._recipe.warmup * self._n_steps))
        set_learning_rate(self._optimiser, factor)
        self._model.train()
        self._freezing.prepare(number // (self._n_steps // self._recipe.epochs))
        generator = torch.Generator().manual_seed(_seed(self._recipe.seed, number))
        torch.manual_seed(_seed(self._recipe.seed, number, 1 + self._processes.rank))
        figures: dict[str, Tensor] = {}
        for batch in batches:
            for name, value in self._backward(batch, generator, len(batches)).items():
                figures[name] = figures.get(name, 0) + value.detach() / len(batches)
        self._update()
        return {"lr": factor * self._recipe.lr, **figures}

    def state_dict(self) -> dict[str, dict]:
        """The optimiser's state and the scaler's."""
        return {"optimiser": self._optimiser.state_dict(), "scaler": self._scaler.state_dict()}

    def load_state_dict(self, state: dict[str, dict]) -> None:
        """Take over what :meth:`state_dict` gave."""
        self._optimiser.load_state_dict(state["optimiser"])
        self._scaler.load_state_dict(state["scaler"])

    def _backward(self, batch: Batch, generator: torch.Generator, n_batches: int) -> dict[str, Tensor]:
        """Add the gradients of a batch; the loss and its parts."""
        n_rows = len(batch.rows)
        crops = self._recipe.augmentation(batch.crops, generator, self._face, self._processes.share(n_rows))
        with self._autocast():
            embedding = self._processes.gathered(self._network(crops, self._model.layers), n_rows)
            terms = self._model.task.loss(embedding, self._moved(batch.rows))
        self._scaler.scale(terms["loss"] / n_batches).backward()
        return terms

    def _moved(self, rows: np.ndarray) -> Tensor:
        """Rows on the device, through pinned memory: the host does not wait there for what a GPU has still to do."""
        moved = torch.from_numpy(rows)
        return moved.pin_memory().to(self._device, non_blocking=True) if self._device.type == "cuda" else moved

    def _autocast(self) -> AbstractContextManager:
        is_half = self._recipe.precision in _AUTOCAST
        return torch.autocast(
            self._device.type, _AUTOCAST.get(self._recipe.precision, torch.bfloat16), enabled=is_half
        )

    def _update(self) -> None:
        self._processes.sum_gradients(self._model.network.parameters())
        self._processes.average_gradients(self._model.task.parameters())
        self._scaler.unscale_(self._optimiser)
        if self._recipe.clip:
            parameters = [p for group in self._optimiser.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(parameters, self._recipe.clip)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._optimiser.zero_grad(set_to_none=True)


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
