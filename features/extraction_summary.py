"""What an extraction did, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from faceheads.table import FaceTable, Status

from .stage_times import StageTimes


@dataclass
class ExtractionSummary:
    """What an extraction did.

    Attributes
    ----------
    n_images, n_faces, n_computed, n_reused : int
        Input images; rows with an embedding; images processed in this run; images taken from an earlier one.
    n_unmeasured : int
        Rows with an embedding whose brightness is not known: an earlier version computed them.
    status_counts : dict of str to int
        Images per :class:`~faceheads.table.Status`.
    times : StageTimes
        Seconds and items of each stage over all workers.
    wall_s : float
        Duration in seconds.
    """

    n_images: int = 0
    n_faces: int = 0
    n_computed: int = 0
    n_reused: int = 0
    n_unmeasured: int = 0
    status_counts: dict[str, int] = field(default_factory=dict)
    times: StageTimes = field(default_factory=StageTimes)
    wall_s: float = 0.0

    def count_rows(self, pieces: Iterable[FaceTable]) -> None:
        """Count faces, those without a measured brightness, and statuses of the finished table."""
        status_of: dict[str, str] = {}
        for piece in pieces:
            self.n_faces += int(piece.has_embedding.sum())
            self.n_unmeasured += int(np.isnan(piece.brightness[piece.has_embedding]).sum())
            for path, status in zip(piece.path, piece.status, strict=True):
                status_of.setdefault(path, status)
        counts = Counter(status_of.values())
        self.status_counts = {status.value: counts.get(status.value, 0) for status in Status}

    @property
    def images_per_s(self) -> float:
        """Images processed per second; NaN when none was."""
        return self.n_computed / self.wall_s if self.n_computed else float("nan")

    def to_json(self) -> dict:
        """The summary as JSON values."""
        return {
            "images": self.n_images,
            "faces": self.n_faces,
            "computed": self.n_computed,
            "reused": self.n_reused,
            "unmeasured": self.n_unmeasured,
            "status": self.status_counts,
            "stage_seconds": {stage: round(s, 3) for stage, s in self.times.seconds.items()},
            "stage_items": self.times.items,
            "limiting_stage": self.times.limiting_stage,
            "wall_s": round(self.wall_s, 3),
        }
