"""Which stages of a network learn: those near the input never, later or from the start.

Whether a stage learns depends on the epoch alone, so a resumed training goes on as one that was not interrupted.

References
----------
J. Howard, S. Ruder, Universal language model fine-tuning for text classification, ACL 2018, section 3.3 (gradual
unfreezing: from the last stage to the first).
"""

from __future__ import annotations

from torch import nn

from .backbones import backbone_of
from .recipes import Recipe
from .stages import Stages


class Freezing:
    """The stages of a network in the epochs of a training.

    Parameters
    ----------
    network : nn.Module
    recipe : Recipe
        ``freeze`` stages, counted from the input, never learn. With ``unfreeze`` above 0 none learns at first, and after
        every ``unfreeze`` epochs one more does, the last one first. Where ``backbone_lr`` is 0 none ever learns.
    n_at_first : int, default=0
        Stages that learn from the start all the same, where nothing but the network could.

    Raises
    ------
    ValueError
        If no stage is left to learn.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, n_at_first: int = 0) -> None:
        self._network = network
        self._recipe = recipe
        self._n_at_first = n_at_first
        parameters = dict(network.named_parameters())
        self._stages = [[parameters[name] for name in stage] for stage in stages_of(network, recipe)]
        self._n_frozen: int | None = None
        self._resting: list[nn.Module] = []

    def n_learning(self, epoch: int) -> int:
        """How many stages, counted from the last one, learn in an epoch, from 0."""
        if not self._recipe.backbone_lr:
            return 0
        most = len(self._stages) - self._recipe.freeze
        if not self._recipe.unfreeze:
            return most
        return min(most, self._n_at_first + epoch // self._recipe.unfreeze)

    def prepare(self, epoch: int) -> None:
        """Put the network into the mode of training of an epoch.

        What is frozen gets no gradients, and stays in evaluation mode: normalisations keep their averages.
        """
        n_frozen = len(self._stages) - self.n_learning(epoch)
        if n_frozen != self._n_frozen:
            for number, stage in enumerate(self._stages):
                for parameter in stage:
                    parameter.requires_grad_(number >= n_frozen)
            self._resting = [module for module in self._network.modules() if _is_frozen(module)]
            self._n_frozen = n_frozen
        self._network.train()
        for module in self._resting:
            module.eval()


def stages_of(network: nn.Module, recipe: Recipe) -> Stages:
    """The stages of a recipe's network; all of it is one where the recipe treats them alike.

    Raises
    ------
    ValueError
        If as many stages are frozen as there are.
    """
    if not recipe.freeze and not recipe.unfreeze and recipe.layer_decay == 1:
        return [[name for name, _ in network.named_parameters()]]
    stages = backbone_of(recipe.backbone).stages(network)
    if recipe.freeze >= len(stages):
        raise ValueError(
            f"--freeze must be below {len(stages)}, the stages of {recipe.backbone}; got {recipe.freeze}. "
            "--backbone_lr 0 freezes all of them."
        )
    return stages


def _is_frozen(module: nn.Module) -> bool:
    parameters = list(module.parameters())
    return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)
