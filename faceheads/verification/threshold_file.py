"""A threshold on disk: JSON with the embedder it belongs to, the data it was found on, and the errors it makes.

A threshold without these is a number that fits nothing: another network, detector or population has other similarities.
A file is untrusted input: it is bounded in size, its fields and values are checked, and nothing in it is executed.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np

from ..atomic import write_text
from ..extraction_command import extraction_command
from ..spec import EmbedderSpec, TableSpec
from ..table import FaceTable
from .bona_fide_check import BonaFideCheck, PairEvidence, fused_name
from .bona_fide_file import head_path, load_check, save_check
from .evidence import Evidence
from .json_values import exactly, number
from .known_errors import KnownErrors
from .probability import Probability
from .rules import Request
from .scores.base import PairScore
from .scores.faces import face_inputs
from .scores.registry import wants_quality
from .scores.score_file import arrays_path, load_score, save_score
from .similarity import METRICS, similarities

FORMAT = "faceheads.threshold"
VERSION = 1
MATCH, NON_MATCH, UNSURE = "match", "non-match", "unsure"
#: A file of the project has about 30 kB.
_MAX_BYTES = 2**20


class ThresholdError(ValueError):
    """A threshold file cannot be read, or does not belong to these embeddings; the message says what to do."""


@dataclass(frozen=True)
class Decision:
    """What a threshold says about one pair of faces.

    Attributes
    ----------
    answer : {"match", "non-match", "unsure"}
    similarity : float
    probability : float
        That the faces are of one person, if half of all pairs were.
    fmr : float
        Share of pairs of two persons that are at least this alike.
    fmr_is_bound : bool
        Whether no pair of two persons was; ``fmr`` is then a bound by the rule of 3.
    evidence : PairEvidence or None
        What was seen in the two photos, where the threshold has a bona fide check.
    """

    answer: str
    similarity: float
    probability: float
    fmr: float
    fmr_is_bound: bool
    evidence: PairEvidence | None = None

    def to_json(self) -> dict:
        """JSON values; without ``evidence`` where there is none."""
        values = asdict(self)
        if self.evidence is None:
            del values["evidence"]
        return values


@dataclass(frozen=True)
class ThresholdFile:
    """A threshold and what it takes to use it.

    Attributes
    ----------
    threshold : float
        Match ⇔ similarity ≥ threshold.
    unsure_low, unsure_high : float
        Between these other people in the data might have put the threshold: the answer is ``unsure``.
    metric : {"cosine", "euclidean"}
    request : Request
        How the threshold was found.
    spec : TableSpec
        What the embeddings are made of.
    tuned_on : Evidence
    reported_on : Evidence or None
        On other identities; None when there were none, and the errors then are too good.
    probability : Probability
    points : tuple of (similarity, FMR, FNMR)
        The error rates at some thresholds, ascending, of the data reported on (else tuned on).
    versions : mapping of str to str
        Of the software.
    score : PairScore or None
        What similarities are made by, fitted; None for the plain metric.
    check : BonaFideCheck or None
        What makes log-odds of a match of similarities and bona fide scores, and then is compared with the threshold. The
        errors above are against pairs of two persons; those against fakes are in the check.
    """

    threshold: float
    unsure_low: float
    unsure_high: float
    metric: str
    request: Request
    spec: TableSpec
    tuned_on: Evidence
    reported_on: Evidence | None
    probability: Probability
    points: tuple[tuple[float, float, float], ...]
    versions: Mapping[str, str]
    score: PairScore | None = None
    check: BonaFideCheck | None = None

    @property
    def errors(self) -> KnownErrors:
        """The errors against pairs of two persons, and against fakes too where nothing keeps them apart."""
        return KnownErrors(self.tuned_on, self.reported_on, self.points)

    def decide(self, similarity: float) -> Decision:
        """Decide about one similarity.

        Raises
        ------
        ValueError
            If it is not a number.
        """
        if not math.isfinite(similarity):
            raise ValueError(f"a similarity must be a number; got {similarity}.")
        answer = MATCH if similarity >= self.threshold else NON_MATCH
        if self.unsure_low <= similarity < self.unsure_high:
            answer = UNSURE
        fmr, is_bound = self.errors.fmr_at(similarity)
        return Decision(answer, float(similarity), float(self.probability.at(similarity)), fmr, is_bound)

    def decide_photos(self, faces: FaceTable, bona_fide: np.ndarray | None = None) -> Decision:
        """Decide about two photos.

        Parameters
        ----------
        faces : FaceTable
            Two rows with an embedding, that :meth:`check_spec` takes.
        bona_fide : ndarray of shape (2,), float64, optional
            Bona fide scores of the photos; needed where the threshold has a check.

        Raises
        ------
        ThresholdError
            If the threshold has a check and there are no bona fide scores.
        """
        pair = (np.array([0]), np.array([1]))
        decision = self.decide(float(self.similarities(faces, *pair, bona_fide)[0]))
        if self.check is None:
            return decision
        similarity = float(self._alone(faces, *pair)[0])
        return replace(decision, evidence=self.check.evidence(similarity, bona_fide, decision.similarity))

    def check_spec(self, spec: TableSpec | EmbedderSpec | None) -> None:
        """Refuse embeddings of another embedder.

        Raises
        ------
        ThresholdError
            If ``spec`` is unknown or another; the message has the command that makes the right ones.
        """
        wanted = self.spec.embedder_digest
        if spec is None or spec.embedder_digest != wanted:
            got = "without a specification" if spec is None else spec.embedder_digest
            raise ThresholdError(
                f"The threshold belongs to embeddings {wanted}; these are {got}. Make the right ones with\n"
                f"  {extraction_command(self.spec)}"
            )

    def similarities(
        self, table: FaceTable, probe: np.ndarray, reference: np.ndarray, bona_fide: np.ndarray | None = None
    ) -> np.ndarray:
        """What is compared with the threshold, for pairs of rows of a table.

        Parameters
        ----------
        table : FaceTable
            That :meth:`check_spec` takes.
        probe, reference : ndarray of shape (n_pairs,), int
            Rows with an embedding.
        bona_fide : ndarray of shape (n_rows,), float64, optional
            Bona fide scores of the rows; needed where the threshold has a check.

        Returns
        -------
        ndarray of shape (n_pairs,), float64

        Raises
        ------
        ThresholdError
            If the threshold has a check and there are no bona fide scores.
        """
        alone = self._alone(table, probe, reference)
        if self.check is None:
            return alone
        if bona_fide is None:
            raise ThresholdError(
                "The threshold refuses fakes: without bona fide scores of the photos it says nothing."
            )
        return self.check.scores(alone, bona_fide[probe], bona_fide[reference])

    def _alone(self, table: FaceTable, probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Similarities of faces, whether the photos are real or not."""
        if self.score is None:
            return similarities(table.embedding, probe, reference, self.metric)
        return self.score.score_rows(face_inputs(table, wants_quality(self.score)), probe, reference)

    @property
    def similarity_name(self) -> str:
        """What similarities of faces are, in a word: the metric, or the name of the score."""
        return self.metric if self.score is None else self.score.name

    @property
    def score_name(self) -> str:
        """The same, and whether bona fide scores are fused with it."""
        return self.similarity_name if self.check is None else fused_name(self.similarity_name)

    def to_json(self) -> dict:
        """JSON values, but for the score and the check."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "threshold": self.threshold,
            "unsure_low": self.unsure_low,
            "unsure_high": self.unsure_high,
            "metric": self.metric,
            "request": self.request.to_json(),
            "embedder_digest": self.spec.embedder_digest,
            "spec": self.spec.to_json(),
            "probability": {"slope": self.probability.slope, "intercept": self.probability.intercept},
            **self.errors.to_json(),
            "versions": dict(self.versions),
        }


def save_threshold(path: str | os.PathLike, file: ThresholdFile) -> None:
    """Write a threshold as JSON, atomically; the arrays of its score and the head of its check, where it has them, beside it."""
    values = file.to_json()
    if file.score is not None:
        values["score"] = save_score(arrays_path(path), file.score)
    if file.check is not None:
        values["bona_fide"] = save_check(head_path(path), file.check)
    write_text(Path(path), json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def load_threshold(path: str | os.PathLike) -> ThresholdFile:
    """The threshold that :func:`save_threshold` wrote.

    Raises
    ------
    ThresholdError
        If the file is missing, too large, no threshold file, of another version, or contradicts itself.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ThresholdError(f"There is no readable threshold file at {path} ({error.strerror}).") from error
    if len(content) > _MAX_BYTES:
        raise ThresholdError(f"{path} has more than {_MAX_BYTES} bytes: this is no threshold file.")
    try:
        return _from_json(json.loads(content, parse_constant=_refuse_constant), path)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise ThresholdError(f"{path} is not a threshold file of this version: {error}") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _from_json(values: object, path: str | os.PathLike) -> ThresholdFile:
    if not isinstance(values, dict) or values.get("format") != FORMAT or number(values.get("version")) != VERSION:
        raise ValueError(f"it must be an object with format {FORMAT!r} and version {VERSION}.")
    described, checked = values.pop("score", None), values.pop("bona_fide", None)
    names = {f.name for f in fields(ThresholdFile)} - {"score", "check"}
    exactly(values, names | {"format", "version", "embedder_digest"}, "the file")
    spec = TableSpec.from_json(values["spec"])
    if spec.embedder_digest != values["embedder_digest"]:
        raise ValueError("its specification does not fit its embedder digest.")
    exactly(values["probability"], {"slope", "intercept"}, "probability")
    errors = KnownErrors.from_json({f.name: values[f.name] for f in fields(KnownErrors)})
    file = ThresholdFile(
        **{name: number(values[name]) for name in ("threshold", "unsure_low", "unsure_high")},
        metric=str(values["metric"]),
        request=Request.from_json(values["request"]),
        spec=spec,
        **{f.name: getattr(errors, f.name) for f in fields(errors)},
        probability=Probability(**{name: number(value) for name, value in values["probability"].items()}),
        versions={str(name): str(version) for name, version in values["versions"].items()},
        score=None if described is None else load_score(arrays_path(path), described, spec.embedder.dimension),
        check=None if checked is None else load_check(head_path(path), checked),
    )
    _check(file)
    return file


def _check(file: ThresholdFile) -> None:
    if file.metric not in METRICS:
        raise ValueError(f"metric must be one of {METRICS}; got {file.metric!r}.")
    if not file.unsure_low <= file.threshold <= file.unsure_high:
        raise ValueError("the threshold must lie between unsure_low and unsure_high.")
    if file.probability.slope <= 0:
        raise ValueError("the slope of the probability must be positive: higher similarities are more alike.")
    if (file.check is not None) != file.request.keeps_fakes_apart:
        raise ValueError("an FMR of fakes and a bona fide check go together.")
