"""A folder of ``python -m finetune`` whose training has ended."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from torch import nn

from faceheads.metrics.intervals import Estimate
from faceheads.networks.exported import WEIGHTS_NAME, load_exported
from faceheads.spec import EmbedderSpec

from .history import EPOCHS
from .outcomes import estimates
from .session import EMBEDDER, SETTINGS

#: Columns of ``epochs.csv`` that are no figures, and the one that the best epoch has the lowest of.
_NO_FIGURES, _SCORE = ("step", "epoch"), "score"


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """What came out of a training.

    Attributes
    ----------
    folder : Path
    settings : mapping
        What it was started with: the recipe, and a hash of the rows as ``"data"``.
    figures : mapping of str to Estimate
        Of the best epoch on the validation part; those that are means over rows have intervals.
    spec : EmbedderSpec
    network : nn.Module
        As it was exported, in evaluation mode.
    """

    folder: Path
    settings: Mapping
    figures: Mapping[str, Estimate]
    spec: EmbedderSpec
    network: nn.Module = field(repr=False)

    @property
    def n_parameters(self) -> int:
        """Numbers that were or could be learned, without the heads of the training."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    @property
    def size_bytes(self) -> int:
        """Of the file of weights."""
        return (self.folder / EMBEDDER / WEIGHTS_NAME).stat().st_size

    @property
    def size_hw(self) -> tuple[int, int]:
        """Rows and columns of the crops, in pixels."""
        crop = self.spec.crop
        height, width = crop["size_hw"] if "size_hw" in crop else (crop["size"], crop["size"])
        return height, width


def read_run(folder: Path) -> FinishedRun:
    """The run of a folder.

    Raises
    ------
    ValueError
        If the training has not ended, or a file is damaged.
    """
    missing = [name for name in (SETTINGS, EPOCHS, EMBEDDER) if not (folder / name).exists()]
    if missing:
        raise ValueError(
            f"{folder} must be a finished training of python -m finetune; it has no {' and no '.join(missing)}. "
            "Go on with the same command and --resume."
        )
    spec, network = load_exported(folder / EMBEDDER)
    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        figures = _best_epoch(folder / EPOCHS)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{folder} holds damaged logs ({error}). Train again.") from error
    known = estimates(folder)
    figures = {name: known.get(name, Estimate(value)) for name, value in figures.items()}
    return FinishedRun(folder, settings, figures, spec, network.eval())


def _best_epoch(path: Path) -> dict[str, float]:
    """The figures of the first epoch with the lowest score."""
    epochs = pd.read_csv(path)
    best = epochs.iloc[int(epochs[_SCORE].argmin())]
    return {str(name): float(best[name]) for name in epochs if name not in _NO_FIGURES and math.isfinite(best[name])}
