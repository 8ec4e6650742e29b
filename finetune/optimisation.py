"""How weights change: optimisers with weight decay where it belongs, the learning rate of each step, and averaged weights."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

from .parameter_groups import parameter_groups
from .recipes import Recipe
from .sing import Sing


def make_optimiser(network: nn.Module, task: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimiser of a recipe; :func:`finetune.parameter_groups.parameter_groups` says how fast each parameter learns."""
    groups = parameter_groups(network, task, recipe)
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum)
    if recipe.optimiser == "sing":
        return Sing(groups, lr=recipe.lr)
    return torch.optim.AdamW(groups, lr=recipe.lr)


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
