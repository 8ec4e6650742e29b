"""Reading a file of named tensors, of ``torch.save`` or of safetensors, without running code from it."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

#: Largest state dict that is read, in bytes; the largest network of the project has 112 MB.
MAX_BYTES = 1 << 30


def read_state_dict(path: str | os.PathLike) -> dict[str, torch.Tensor]:
    """The tensors of a file by their names, on the CPU.

    Parameters
    ----------
    path : path
        ``NAME.safetensors``, or a file of ``torch.save`` by any other name.

    Raises
    ------
    ValueError
        If the file is larger than ``MAX_BYTES``, holds anything but named tensors, or cannot be read.
    """
    size_bytes = os.path.getsize(path)
    if size_bytes > MAX_BYTES:
        raise ValueError(f"A weight file must not have more than {MAX_BYTES} bytes; {path} has {size_bytes}.")
    if Path(path).suffix == ".safetensors":
        return _read_safetensors(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError, KeyError) as error:
        raise ValueError(f"{path} must be a state dict written by torch.save; got: {error}") from error
    if not isinstance(state, Mapping) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise ValueError(f"{path} must map names to tensors; got a {type(state).__name__}.")
    return dict(state)


def _read_safetensors(path: str | os.PathLike) -> dict[str, torch.Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{path} must be a file of safetensors; got: {error}") from error


def load_strictly(network: nn.Module, state: Mapping[str, torch.Tensor], origin: str | os.PathLike) -> None:
    """Fill a network with exactly the tensors that it has.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown, or has another shape; names some of them.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    if found != expected:
        differing = [name for name in expected if expected[name] != found.get(name)]
        unknown = sorted(set(found) - set(expected))
        examples = ", ".join(f"{name}: {expected[name]}, got {found.get(name)}" for name in differing[:3])
        raise ValueError(
            f"{origin} does not fit {type(network).__name__}: {len(differing)} tensors must be there with their shape "
            f"({examples}), {len(unknown)} are unknown {unknown[:3]}."
        )
    network.load_state_dict(dict(state))
