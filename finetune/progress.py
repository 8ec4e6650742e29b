"""How far a training is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class Progress:
    """How far a training is.

    Attributes
    ----------
    step : int
        Optimiser steps done.
    best_score : float
    n_worse : int
        Epochs since then.
    seconds, waiting_seconds : float
        Of this process, in all and waiting for batches.
    n_crops : int
        Trained on by all processes since this one began.
    """

    step: int = 0
    best_score: float = math.inf
    n_worse: int = 0
    seconds: float = field(default=0.0, compare=False)
    waiting_seconds: float = field(default=0.0, compare=False)
    n_crops: int = field(default=0, compare=False)

    def judge(self, score: float) -> bool:
        """Take note of an epoch's score; returns whether it is the best so far."""
        is_better = score < self.best_score
        self.n_worse = 0 if is_better else self.n_worse + 1
        self.best_score = min(score, self.best_score)
        return is_better
