"""What a training changes: an embedding network and the task that it learns."""

from __future__ import annotations

from torch import nn

from .tasks.task import Task


class Model(nn.Module):
    """An embedding network and what learns from it.

    Parameters
    ----------
    network : nn.Module
        Takes crops, uint8 or float of shape (n, 3, height, width) in [0, 255], and names of layers.
    layers : tuple of str
        Those that make the embedding.
    task : Task
    """

    def __init__(self, network: nn.Module, layers: tuple[str, ...], task: Task) -> None:
        super().__init__()
        self.network = network
        self.layers = layers
        self.task = task
