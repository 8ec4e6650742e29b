"""The state of a training on disk: whole or not there at all, and read without running code from it."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from faceheads.atomic import atomic_path


def save_state(path: Path, state: dict) -> None:
    """Write tensors, numbers and texts in nested dicts and lists, atomically."""
    with atomic_path(path) as temporary:
        torch.save(state, temporary)


def load_state(path: Path) -> dict:
    """What :func:`save_state` wrote, on the CPU.

    Raises
    ------
    ValueError
        If the file is damaged or holds anything else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError, KeyError) as error:
        raise ValueError(f"{path} must be a checkpoint of python -m finetune; it is damaged ({error}).") from error
    if not (isinstance(state, dict) and "step" in state):
        raise ValueError(f"{path} must be a checkpoint of python -m finetune; got another file of torch.save.")
    return state
