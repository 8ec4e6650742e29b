"""The logs of a training for TensorBoard, beside the CSV files."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from faceheads.extra import require_extra
from faceheads.images.reading import read_image

from .embedding_pictures import picture_path
from .observer import EpochEnd, Observer
from .progress import Progress

FOLDER = "tensorboard"


def require_tensorboard() -> None:
    """Raise an error that says how to get TensorBoard, unless it is installed."""
    require_extra(
        "finetune", "--tensorboard", "tensorboard", instead="leave it out: steps.csv and epochs.csv say the same"
    )


class TensorBoard(Observer):
    """Writes ``tensorboard/`` in the folder of a training, with the pictures of embeddings that are there; to be closed.

    Steps that are done again after a kill hide those of before.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer = None

    def begins(self, progress: Progress, n_steps: int) -> None:
        """Open the log, a new one where training begins anew."""
        from torch.utils.tensorboard import SummaryWriter

        if not progress.step:
            shutil.rmtree(self._folder / FOLDER, ignore_errors=True)
        self._writer = SummaryWriter(str(self._folder / FOLDER), purge_step=progress.step + 1)

    def steps_logged(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Loss, its parts, distances and learning rate."""
        for row in rows:
            for name, value in row.items():
                if name != "step" and math.isfinite(value):
                    self._writer.add_scalar(f"step/{name}", value, int(row["step"]))

    def epoch_ended(self, end: EpochEnd) -> None:
        """Figures of the validation part, and where its embeddings lie."""
        for name, value in end.figures.items():
            self._writer.add_scalar(f"validation/{name}", value, end.step)
        picture = picture_path(self._folder, end.epoch)
        if end.is_best and picture.is_file():
            self._writer.add_image("embeddings", read_image(picture).rgb, end.step, dataformats="HWC")

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
