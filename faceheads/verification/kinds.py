"""Error rates by kind of pair: real and fake, or clean and distorted in one way or another.

The Kryptonite challenge reports *eer_real*, of mated pairs against pairs of two persons, and *eer_fake*, of the same mated
pairs against pairs with a deepfake. One EER over both would say nothing about either: it moves with their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..metrics.intervals import Estimate
from .error_rates import comparisons_needed
from .trials import Trials
from .uncertainty import UncertainRates


@dataclass(frozen=True)
class KindErrors:
    """Errors of one kind of pair.

    Attributes
    ----------
    kind : str
    n_mated : int
        Mated comparisons of the kind that were made; 0 where all mated ones stand in for it, as for fakes.
    n_non_mated, n_non_mated_lost : int
        Comparisons that were made, and that could not be.
    eer : Estimate
        Against the mated comparisons of the kind, or all.
    fmr, fnmr : Estimate
        At the threshold for all kinds.
    """

    kind: str
    n_mated: int
    n_non_mated: int
    n_non_mated_lost: int
    eer: Estimate
    fmr: Estimate
    fnmr: Estimate

    @property
    def is_measurable(self) -> bool:
        """Whether an FMR of 1e-2 could be spoken of, by the rule of 3."""
        return self.n_non_mated >= comparisons_needed(1e-2)


def errors_by_kind(trials: Trials, threshold: float) -> list[KindErrors]:
    """The errors of each kind that non-mated pairs have, sorted by name; empty when nothing says.

    Kinds without a comparison that was made are left out.
    """
    if trials.kind is None:
        return []
    missing = pd.isna(trials.kind)
    kinds = sorted(set(trials.kind[~trials.is_mated & ~missing]))
    return [found for kind in kinds if (found := _errors_of(trials, kind, threshold)) is not None]


def _errors_of(trials: Trials, kind: str, threshold: float) -> KindErrors | None:
    is_kind, is_made = trials.kind == kind, trials.is_acquired
    own_mated = trials.is_mated & is_kind & is_made
    mated = own_mated if own_mated.any() else trials.is_mated & is_made
    others = ~trials.is_mated & is_kind
    if not mated.any() or not (others & is_made).any():
        return None
    rates = UncertainRates(trials[mated | (others & is_made)])
    return KindErrors(
        kind,
        int(own_mated.sum()),
        rates.curve.n_non_mated,
        int(np.sum(others & ~is_made)),
        rates.eer(),
        rates.fmr(threshold),
        rates.fnmr(threshold),
    )
