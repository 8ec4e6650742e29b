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


def find_device(name: str) -> torch.device:
    """The device of an option ``--device``.

    Raises
    ------
    ValueError
        If it is none, or torch does not see it.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"--device must be cpu or cuda; got {name!r}.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: torch sees no CUDA device on this machine. Use --device cpu.")
    return device


#: In this process alone, on its CPU.
ON_CPU = Execution()
