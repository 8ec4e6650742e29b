"""A picture of the validation part's embeddings for every epoch that was the best so far."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from faceheads.atomic import atomic_path

from .charts import embeddings_png
from .observer import EpochEnd, Observer

PICTURES = "pictures"


def picture_path(folder: Path, epoch: int) -> Path:
    """Where the picture of an epoch lies."""
    return folder / PICTURES / f"embeddings_{epoch:03d}.png"


class EmbeddingPictures(Observer):
    """Draws ``pictures/embeddings_EPOCH.png``.

    Parameters
    ----------
    folder : Path
    labels : Series of n_validation rows, categorical
        What tells points apart.
    """

    def __init__(self, folder: Path, labels: pd.Series) -> None:
        self._folder = folder
        self._labels = labels

    def epoch_ended(self, end: EpochEnd) -> None:
        """Draw the epoch if it is the best so far."""
        if end.is_best:
            with atomic_path(picture_path(self._folder, end.epoch)) as temporary:
                temporary.write_bytes(embeddings_png(end.embedding.float().cpu().numpy(), self._labels))
