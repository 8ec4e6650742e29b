"""How weights change: optimisers with weight decay where it belongs, the learning rate of each step, and averaged weights.

References
----------
N. Shazeer, M. Stern, Adafactor, ICML 2018, section 8 (steps in proportion to the size of the weights).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import torch
from torch import nn

from .backbones import backbone_of
from .recipes import Recipe

#: Smallest root mean square of weights that a learning rate is multiplied by, as in Adafactor.
SMALLEST_SIZE = 1e-3


def make_optimiser(network: nn.Module, task: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimiser of a recipe; each group of parameters carries its highest learning rate as ``highest_lr``.

    Biases, factors and normalisations have no weight decay. Parameters of a frozen network are left out. AdamW moves every
    weight by about the learning rate, whatever its size; in a network without normalisation, whose layers differ in size by
    orders of magnitude, the rate of each tensor is therefore multiplied by the root mean square of its weights.
    """
    groups = [*_groups(task, recipe.lr, recipe.weight_decay)]
    if recipe.backbone_lr:
        of_network = _groups(network, recipe.lr * recipe.backbone_lr, recipe.weight_decay)
        is_relative = backbone_of(recipe.backbone).has_relative_steps and recipe.optimiser == "adamw"
        groups += [one for group in of_network for one in _relative(group)] if is_relative else of_network
    if not groups:
        raise ValueError(f"--backbone_lr 0 leaves nothing to learn in the recipe {recipe.task!r}.")
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum)
    return torch.optim.AdamW(groups, lr=recipe.lr)


def _groups(module: nn.Module, lr: float, weight_decay: float) -> list[dict]:
    matrices = [parameter for parameter in module.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in module.parameters() if parameter.ndim <= 1]
    groups = ((matrices, weight_decay), (others, 0.0))
    return [{"params": some, "lr": lr, "highest_lr": lr, "weight_decay": decay} for some, decay in groups if len(some)]


def _relative(group: dict) -> Iterator[dict]:
    """A group for each tensor, its rate in proportion to the size of its weights."""
    for parameter in group["params"]:
        size = max(SMALLEST_SIZE, parameter.detach().square().mean().sqrt().item())
        lr = group["lr"] * size
        yield {**group, "params": [parameter], "lr": lr, "highest_lr": lr}


def learning_rate_factor(step: int, n_steps: int, n_warmup: int) -> float:
    """What the highest learning rate is multiplied by in a step: a line up, then half a cosine down to 0.

    Parameters
    ----------
    step : int
        Optimiser steps done before, from 0.
    n_steps, n_warmup : int
        Of the whole training.
    """
    if step < n_warmup:
        return (step + 1) / n_warmup
    return 0.5 * (1 + math.cos(math.pi * (step - n_warmup) / max(1, n_steps - n_warmup)))


def set_learning_rate(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Set every group's learning rate to a share of its highest."""
    for group in optimiser.param_groups:
        group["lr"] = factor * group["highest_lr"]


class AveragedWeights:
    """A copy of a module whose weights follow it slowly: an exponential moving average.

    Parameters
    ----------
    module : nn.Module
    decay : float
        Share of the average that stays in each step, less in the first steps; 0 makes it follow at once.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def follow(self, module: nn.Module, step: int) -> None:
        """Move towards the weights of ``module`` after a step; counters are copied."""
        decay = min(self._decay, step / (step + 10))
        for average, now in zip(self.module.state_dict().values(), module.state_dict().values(), strict=True):
            if average.dtype.is_floating_point:
                average.lerp_(now, 1 - decay)
            else:
                average.copy_(now)
