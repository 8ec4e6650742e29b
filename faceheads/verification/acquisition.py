"""Failures to acquire: images without a usable face, and what they do to the comparisons they are in.

FMR and FNMR are over comparisons that were made. Who presents a photo in which no face is found is rejected all the
same, so that a transaction has the rates FRR = L + (1 − L) · FNMR and FAR = (1 − L) · FMR, where L is the share of
comparisons that could not be made because either image failed.

References
----------
ISO/IEC 19795-1:2021: failure-to-acquire rate, and FRR and FAR of transactions; there L is the failure rate of the probe
alone, because references were enrolled before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ..table import FaceTable
from .trials import Trials


@dataclass(frozen=True)
class Acquisition:
    """How many images and comparisons were lost.

    Attributes
    ----------
    status_counts : dict of str to int
        Images of the comparisons by status; those that do not occur are left out.
    n_images, n_images_lost : int
    n_mated, n_mated_lost, n_non_mated, n_non_mated_lost : int
        Comparisons asked for, and those of them that could not be made.
    """

    n_images: int
    n_images_lost: int
    n_mated: int
    n_mated_lost: int
    n_non_mated: int
    n_non_mated_lost: int
    status_counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, table: FaceTable, rows: np.ndarray, trials: Trials) -> Acquisition:
        """Count over the rows of the images that the trials name, each once."""
        is_used = np.zeros(len(table), bool)
        is_used[rows] = True
        used = np.flatnonzero(is_used)
        statuses, counts = np.unique(table.status[used].astype(str), return_counts=True)
        lost, mated = ~trials.is_acquired, trials.is_mated
        return cls(
            n_images=len(used),
            n_images_lost=int((~table.has_embedding[used]).sum()),
            n_mated=int(mated.sum()),
            n_mated_lost=int((lost & mated).sum()),
            n_non_mated=int((~mated).sum()),
            n_non_mated_lost=int((lost & ~mated).sum()),
            status_counts={str(s): int(n) for s, n in zip(statuses, counts, strict=True)},
        )

    @property
    def fta(self) -> float:
        """Share of images without an embedding; NaN without images."""
        return self.n_images_lost / self.n_images if self.n_images else math.nan

    def frr(self, fnmr: float) -> float:
        """Share of mated transactions that are rejected, by decision or for want of a face."""
        lost = self.n_mated_lost / self.n_mated if self.n_mated else math.nan
        return lost + (1 - lost) * fnmr

    def far(self, fmr: float) -> float:
        """Share of non-mated transactions that are accepted."""
        lost = self.n_non_mated_lost / self.n_non_mated if self.n_non_mated else math.nan
        return (1 - lost) * fmr

    def to_json(self) -> dict:
        """JSON values."""
        names = ("n_images", "n_images_lost", "n_mated", "n_mated_lost", "n_non_mated", "n_non_mated_lost")
        fta = self.fta if math.isfinite(self.fta) else None
        return {**{name: getattr(self, name) for name in names}, "fta": fta, "status_counts": self.status_counts}
