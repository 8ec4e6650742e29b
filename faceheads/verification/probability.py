"""The chance that two faces are of one person, from their similarity.

References
----------
J. C. Platt, Probabilistic outputs for support vector machines, Advances in Large Margin Classifiers, 1999: the logistic
curve and its targets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from .trials import Trials

#: Comparisons of a kind that the curve is fitted on, evenly spaced in similarity.
_MAX_FITTED = 100_000
_NO_PENALTY = 1e6
#: exp of more overflows.
_MAX_LOG_ODDS = 700


@dataclass(frozen=True)
class Probability:
    """The chance that a pair is mated, as a logistic curve of the similarity.

    Attributes
    ----------
    slope, intercept : float
        Of the logarithm of the likelihood ratio, natural, per unit of similarity.
    """

    slope: float
    intercept: float

    @classmethod
    def fit(cls, trials: Trials) -> Probability:
        """Fit to comparisons that were made, both kinds weighing the same.

        Platt's targets keep the curve from becoming a step where the two kinds are apart.
        """
        made = trials.made
        parts = [_thinned(np.sort(made.similarity[made.is_mated == kind])) for kind in (False, True)]
        similarity = np.concatenate(parts)
        is_mated = np.arange(len(similarity)) >= len(parts[0])
        n_own = np.where(is_mated, len(parts[1]), len(parts[0]))
        target = np.where(is_mated, n_own + 1, 1) / (n_own + 2)
        weight = len(similarity) / 2 / n_own
        centre, scale = similarity.mean(), similarity.std()
        model = LogisticRegression(C=_NO_PENALTY)
        scaled = np.tile((similarity - centre) / scale, 2)[:, None]
        answers = np.repeat([True, False], len(similarity))
        model.fit(scaled, answers, sample_weight=np.concatenate([weight * target, weight * (1 - target)]))
        slope = float(model.coef_[0, 0] / scale)
        return cls(slope, float(model.intercept_[0]) - slope * float(centre))

    def at(self, similarity: np.ndarray | float, mated_share: float = 0.5) -> np.ndarray | float:
        """Probability that a pair of this similarity is mated, when ``mated_share`` of all pairs are."""
        log_odds = self.slope * similarity + self.intercept + math.log(mated_share / (1 - mated_share))
        return 1 / (1 + np.exp(-np.clip(log_odds, -_MAX_LOG_ODDS, _MAX_LOG_ODDS)))


def _thinned(ordered: np.ndarray) -> np.ndarray:
    if len(ordered) <= _MAX_FITTED:
        return ordered
    return ordered[np.linspace(0, len(ordered) - 1, _MAX_FITTED).astype(int)]
