"""The threshold that a request asks for on a set of comparisons, and how sure it is.

References
----------
B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11 (the jackknife).
B. Efron, C. Stein, The jackknife estimate of variance, Annals of Statistics 9, 1981.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy.stats

from ..metrics.intervals import LEVEL
from .error_rates import ErrorCurve
from .rules import Request
from .trials import Trials

#: Groups of people of which one at a time is left out.
_N_GROUPS = 30


def find_threshold(trials: Trials, request: Request) -> float:
    """The threshold on comparisons; where fakes are kept apart the higher of the two that their and the others' FMR ask for.

    Raises
    ------
    ValueError
        If an FMR is asked for that the comparisons cannot bear, or there are no pairs of a kind that has a limit.
    """
    made = trials.made
    found = []
    for part in _parts(made, request):
        curve = part.curve(made)
        if curve is None:
            raise ValueError(f"A threshold needs mated pairs and {part.words}; these are of one kind.")
        found.append(part.request.find(curve))
    return max(found)


@dataclass(frozen=True, eq=False)
class _Part:
    """Comparisons that a threshold must serve, and what is asked of it there."""

    words: str
    chosen: np.ndarray
    request: Request

    def curve(self, made: Trials, kept: np.ndarray | bool = True) -> ErrorCurve | None:
        """Their error rates; of those that are kept, None where these are not of both kinds."""
        chosen = self.chosen & kept
        is_mated = made.is_mated[chosen]
        if is_mated.all() or not is_mated.any():
            return None
        return ErrorCurve.from_similarities(made.similarity[chosen], is_mated)


def _parts(made: Trials, request: Request) -> list[_Part]:
    if not request.keeps_fakes_apart:
        return [_Part("pairs of two persons", np.ones(len(made), bool), request)]
    is_fake = made.is_fake
    return [
        _Part("pairs of two persons", ~is_fake, replace(request, fake_fmr=math.nan)),
        _Part("pairs with a fake", is_fake | made.is_mated, Request("fmr", request.fake_fmr)),
    ]


def threshold_reach(trials: Trials, request: Request, seed: int = 0) -> float:
    """Half the length of the 95 % interval of a threshold: what other people would have moved it by.

    People are divided at random into groups, and the threshold is found again without each group (the jackknife with
    groups, which unlike leaving out single people is consistent for quantiles). It errs to the long side: the noise of
    single pairs counts twice (Efron and Stein 1981).

    Returns
    -------
    float
        NaN when it cannot be found without a group.
    """
    made = trials.made
    codes, names = pd.factorize(np.concatenate([made.probe_identity, made.reference_identity]))
    n_groups = min(_N_GROUPS, len(names))
    group = np.random.default_rng(seed).permutation(len(names)) % max(n_groups, 1)
    probe, reference = np.split(group[codes], 2)
    parts, found = _parts(made, request), []
    for left_out in range(n_groups):
        kept = (probe != left_out) & (reference != left_out)
        curves = [part.curve(made, kept) for part in parts]
        if any(curve is None for curve in curves):
            return math.nan
        found.append(max(part.request.find_unchecked(curve) for part, curve in zip(parts, curves, strict=True)))
    error = math.sqrt((n_groups - 1) * float(np.var(found)))
    return float(scipy.stats.t.ppf((1 + LEVEL) / 2, n_groups - 1)) * error
