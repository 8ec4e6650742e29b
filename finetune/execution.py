"""Where and how a network is trained; nothing of it changes what is learned, but for rounding."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from .processes import Processes


@dataclass(frozen=True)
class Execution:
    """Where and how a network is trained.

    Attributes
    ----------
    device : torch.device
    is_compiled : bool
        Whether the network runs through ``torch.compile``.
    processes : Processes
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    is_compiled: bool = False
    processes: Processes = field(default_factory=Processes)


#: In this process alone, on its CPU.
ON_CPU = Execution()
