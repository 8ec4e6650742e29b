"""What a threshold takes beside the similarity to refuse fakes: a head, how its scores count, and how often fakes pass."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .bona_fide import BonaFideMatch
from .bona_fide_head import BonaFideHead
from .comparisons import Comparisons
from .known_errors import KnownErrors
from .scores.registry import PLAIN
from .trials import Trials

#: The name of a score that knows of fakes, behind that of the score it was made of where that was fitted too.
NAME = "bona_fide"
#: Comparisons of a kind that the fusion is fitted to; it has four numbers.
_MAX_FITTED = 100_000
#: What the kinds weigh: mated pairs, pairs of two persons, pairs with a fake.
_WEIGHTS = (0.5, 0.25, 0.25)


@dataclass(frozen=True)
class PairEvidence:
    """What a decision about two photos was made of.

    Attributes
    ----------
    similarity : float
        Of the two faces, before fakes are thought of.
    one_person : float
        Probability that they are of one person, going by that alone.
    real : tuple of two float
        Probability of each photo that it is no fake.
    fake_fmr : float
        Share of pairs with a fake that have a score at least this high.
    fake_fmr_is_bound : bool
        Whether no such pair has; ``fake_fmr`` is then a bound by the rule of 3.
    """

    similarity: float
    one_person: float
    real: tuple[float, float]
    fake_fmr: float
    fake_fmr_is_bound: bool


@dataclass(frozen=True, eq=False)
class BonaFideCheck:
    """A head that tells fakes from photos, and how its scores count.

    Attributes
    ----------
    head : BonaFideHead
    fusion : BonaFideMatch
        Fitted.
    errors : KnownErrors or None
        Of a threshold against pairs with a fake; None before there is a threshold.
    """

    head: BonaFideHead
    fusion: BonaFideMatch
    errors: KnownErrors | None = None

    @classmethod
    def fit(cls, head: BonaFideHead, comparisons: Comparisons, seed: int = 0) -> BonaFideCheck:
        """Learn how much similarity and bona fide scores count.

        Parameters
        ----------
        head : BonaFideHead
        comparisons : Comparisons
            With bona fide scores, of people that the head has not seen: mated pairs, pairs of two persons, and pairs with a
            fake.
        seed : int, default=0
            Of what is drawn where there are more than 100,000 of a kind.

        Raises
        ------
        ValueError
            If a kind is missing.
        """
        made = comparisons.trials.made
        kinds = [np.flatnonzero(kind) for kind in (made.is_mated, ~made.is_mated & ~made.is_fake, made.is_fake)]
        if not all(map(len, kinds)):
            raise ValueError(
                "A bona fide check is fitted to mated pairs, pairs of two persons and pairs with a fake, of people that the "
                f"head did not learn from; there are {', '.join(f'{len(kind):,}' for kind in kinds)}. Give labels with the "
                "column kind (real, fake), or a list of pairs that says which are fakes."
            )
        rng = np.random.default_rng(seed)
        drawn = [kind if len(kind) <= _MAX_FITTED else rng.choice(kind, _MAX_FITTED, replace=False) for kind in kinds]
        weight = [np.full(len(kind), share / len(kind)) for kind, share in zip(drawn, _WEIGHTS, strict=True)]
        some = made[np.concatenate(drawn)]
        columns = _columns(some, comparisons.bona_fide)
        return cls(head, BonaFideMatch().fit(columns, some.is_mated, sample_weight=np.concatenate(weight)))

    def fused(self, comparisons: Comparisons) -> Comparisons:
        """The comparisons with the log-odds of a match for their similarity; those that were not made keep their NaN.

        Parameters
        ----------
        comparisons : Comparisons
            With bona fide scores.
        """
        trials, made = comparisons.trials, comparisons.trials.is_acquired
        similarity = np.full(len(trials), np.nan)
        if made.any():
            similarity[made] = self.scores(*_columns(trials[made], comparisons.bona_fide).T)
        fused = replace(trials, similarity=similarity)
        return replace(comparisons, trials=fused, alone=trials.similarity, score=fused_name(comparisons.score))

    def scores(self, similarity: np.ndarray, probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Log-odds of a match, float64 of shape (n_pairs,), of similarities and the bona fide scores of both photos."""
        return self.fusion.decision_function(np.column_stack([similarity, probe, reference]))

    def evidence(self, similarity: float, bona_fide: np.ndarray, score: float) -> PairEvidence:
        """What the score of a pair was made of.

        Parameters
        ----------
        similarity : float
        bona_fide : array of shape (2,)
            Scores of the two photos.
        score : float
            Of the pair, from :meth:`scores`.
        """
        one_person, *real = self.fusion.factors(np.array([[similarity, *bona_fide]]))[0].tolist()
        return PairEvidence(similarity, one_person, tuple(real), *self.errors.fmr_at(score))


def fused_name(score: str) -> str:
    """What a score is called once bona fide scores are fused with it."""
    return NAME if score == PLAIN else f"{score}+{NAME}"


def _columns(trials: Trials, bona_fide: np.ndarray) -> np.ndarray:
    """Columns of :class:`BonaFideMatch`, shape (n_trials, 3)."""
    return np.column_stack([trials.similarity, bona_fide[trials.probe], bona_fide[trials.reference]])
