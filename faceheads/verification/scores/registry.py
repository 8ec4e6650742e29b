"""Scores by the names of the command line."""

from __future__ import annotations

from .base import PairScore
from .cluster_calibrated import ClusterCalibratedScore
from .cohort_norm import CohortNormScore
from .faces import QUALITIES
from .plda import PldaScore
from .quality import QualityScore
from .whitened import WhitenedScore

#: The similarity as it is.
PLAIN = "plain"
SCORES: dict[str, type[PairScore]] = {
    "s_norm": CohortNormScore,
    "z_norm": CohortNormScore,
    "whitened": WhitenedScore,
    "lda": WhitenedScore,
    "plda": PldaScore,
    "quality": QualityScore,
    "faircal": ClusterCalibratedScore,
}
#: Directions that ``lda`` keeps.
_LDA_COMPONENTS = 64


def make_score(name: str, metric: str) -> PairScore:
    """An unfitted score.

    Parameters
    ----------
    name : str
        Of :data:`SCORES`.
    metric : {"cosine", "euclidean"}
        Of the similarity that scores start from that learn none.
    """
    parameters = {
        "s_norm": {"metric": metric},
        "z_norm": {"metric": metric, "kind": "z"},
        "whitened": {},
        "lda": {"n_components": _LDA_COMPONENTS},
        "plda": {},
        "quality": {"metric": metric, "n_qualities": len(QUALITIES)},
        "faircal": {"metric": metric},
    }
    return SCORES[name](**parameters[name])


def wants_quality(score: PairScore) -> bool:
    """Whether the score's input has the columns of :func:`faceheads.verification.scores.faces.qualities`."""
    return isinstance(score, QualityScore) and score.n_qualities > 0
