"""The groups of parameters of an optimiser: how fast each learns, and whether it decays.

References
----------
N. Shazeer, M. Stern, Adafactor, ICML 2018, section 8 (steps in proportion to the size of the weights).
J. Howard, S. Ruder, Universal language model fine-tuning for text classification, ACL 2018, section 3.2 (stages near the
input learn more slowly).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import nn

from .backbones import backbone_of, undecayed
from .freezing import stages_of
from .recipes import Recipe

#: Smallest root mean square of weights that a learning rate is multiplied by, as in Adafactor.
SMALLEST_SIZE = 1e-3


def parameter_groups(network: nn.Module, task: nn.Module, recipe: Recipe) -> list[dict]:
    """Groups for an optimiser of torch; each carries its highest learning rate as ``highest_lr`` too.

    The last stage of the network learns with ``lr · backbone_lr``, the one before it with ``layer_decay`` times that, and so
    on. Biases, factors, normalisations, positions and class tokens have no weight decay. Parameters that never learn are
    left out. Optimisers such as AdamW move every weight by about the learning rate, whatever its size; in a network without
    normalisation, whose layers differ in size by orders of magnitude, the rate of each tensor is therefore multiplied by the
    root mean square of its weights.

    Raises
    ------
    ValueError
        If nothing is left to learn.
    """
    groups = [*_groups(task.parameters(), recipe.lr, recipe.weight_decay)]
    if recipe.backbone_lr:
        groups += _of_network(network, recipe)
    if not groups:
        raise ValueError(f"--backbone_lr 0 leaves nothing to learn in the recipe {recipe.task!r}.")
    return groups


def _of_network(network: nn.Module, recipe: Recipe) -> Iterator[dict]:
    relative, stages = _relative_names(network, recipe), stages_of(network, recipe)
    for number, names in enumerate(stages[recipe.freeze :], start=recipe.freeze):
        lr = recipe.lr * recipe.backbone_lr * recipe.layer_decay ** (len(stages) - 1 - number)
        yield from _of_names(network, [name for name in names if name not in relative], lr, recipe.weight_decay)
        for group in _of_names(network, [name for name in names if name in relative], lr, recipe.weight_decay):
            yield from _relative(group)


def _relative_names(network: nn.Module, recipe: Recipe) -> frozenset[str]:
    """Parameters whose rate is in proportion to their size."""
    prefix = backbone_of(recipe.backbone).relative_steps
    if prefix is None or recipe.optimiser == "sgd":
        return frozenset()
    return frozenset(name for name, _ in network.named_parameters() if name.startswith(prefix))


def _of_names(network: nn.Module, names: Iterable[str], lr: float, weight_decay: float) -> Iterator[dict]:
    parameters, undecaying = dict(network.named_parameters()), undecayed(network)
    yield from _groups([parameters[name] for name in names if name not in undecaying], lr, weight_decay)
    yield from _groups([parameters[name] for name in names if name in undecaying], lr, 0.0)


def _groups(parameters: Iterable[nn.Parameter], lr: float, weight_decay: float) -> Iterator[dict]:
    parameters = list(parameters)
    matrices = [parameter for parameter in parameters if parameter.ndim > 1]
    others = [parameter for parameter in parameters if parameter.ndim <= 1]
    for some, decay in ((matrices, weight_decay), (others, 0.0)):
        if some:
            yield {"params": some, "lr": lr, "highest_lr": lr, "weight_decay": decay}


def _relative(group: dict) -> Iterator[dict]:
    """A group for each tensor, its rate in proportion to the size of its weights."""
    for parameter in group["params"]:
        size = max(SMALLEST_SIZE, parameter.detach().square().mean().sqrt().item())
        lr = group["lr"] * size
        yield {**group, "params": [parameter], "lr": lr, "highest_lr": lr}
