"""A threshold on disk: JSON with the embedder it belongs to, the data it was found on, and the errors it makes.

A threshold without these is a number that fits nothing: another network, detector or population has other similarities.
A file is untrusted input: it is bounded in size, its fields and values are checked, and nothing in it is executed.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from ..atomic import write_text
from ..extraction_command import extraction_command
from ..spec import EmbedderSpec, TableSpec
from ..table import FaceTable
from ..versions import software_versions
from .comparisons import Comparisons, check_disjoint
from .error_rates import RULE_OF_3, ErrorCurve
from .evidence import Evidence
from .json_values import exactly, number
from .probability import Probability
from .rules import Request, threshold_reach
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
_MAX_POINTS = 400


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
    """

    answer: str
    similarity: float
    probability: float
    fmr: float
    fmr_is_bound: bool

    def to_json(self) -> dict:
        """JSON values."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


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
        fmr, is_bound = self._fmr_at(similarity)
        return Decision(answer, float(similarity), float(self.probability.at(similarity)), fmr, is_bound)

    def _fmr_at(self, similarity: float) -> tuple[float, bool]:
        below = [fmr for threshold, fmr, _ in self.points if threshold <= similarity]
        fmr = below[-1] if below else 1.0
        if fmr > 0:
            return fmr, False
        evidence = self.tuned_on if self.reported_on is None else self.reported_on
        return min(1.0, RULE_OF_3 / max(evidence.n_non_mated, 1)), True

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

    def similarities(self, table: FaceTable, probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """What is compared with the threshold, for pairs of rows of a table.

        Parameters
        ----------
        table : FaceTable
            That :meth:`check_spec` takes.
        probe, reference : ndarray of shape (n_pairs,), int
            Rows with an embedding.

        Returns
        -------
        ndarray of shape (n_pairs,), float64
        """
        if self.score is None:
            return similarities(table.embedding, probe, reference, self.metric)
        return self.score.score_rows(face_inputs(table, wants_quality(self.score)), probe, reference)

    @property
    def score_name(self) -> str:
        """What similarities are, in a word: the metric, or the name of the score."""
        return self.metric if self.score is None else self.score.name

    def to_json(self) -> dict:
        """JSON values, but for the score."""
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
            "tuned_on": self.tuned_on.to_json(),
            "reported_on": None if self.reported_on is None else self.reported_on.to_json(),
            "probability": {"slope": self.probability.slope, "intercept": self.probability.intercept},
            "points": [list(point) for point in self.points],
            "versions": dict(self.versions),
        }


def tune_threshold(
    tuned: Comparisons, reported: Comparisons | None, request: Request, score: PairScore | None = None
) -> ThresholdFile:
    """Find a threshold on one set of people and measure it on another.

    Parameters
    ----------
    tuned : Comparisons
        Of a table with a specification.
    reported : Comparisons or None
        Of other people; None leaves the errors on other people unknown.
    request : Request
    score : PairScore, optional
        Fitted; what the similarities of both are made by.

    Raises
    ------
    ThresholdError
        If the table has no specification, or there are too few people to know how sure the threshold is.
    ValueError
        If the sets share a person, or the comparisons cannot bear what is asked.
    """
    if tuned.table.spec is None:
        raise ThresholdError(
            "A threshold needs a feature table with a specification, so that it is not used with other embeddings; this "
            "one is a CSV of other software. Extract with feature_extraction.py."
        )
    if reported is not None:
        check_disjoint(tuned.trials, reported.trials)
    threshold = request.find(tuned.rates.curve)
    reach = threshold_reach(tuned.trials, request)
    if not math.isfinite(reach):
        raise ThresholdError(
            f"How sure the threshold is cannot be told from {tuned.rates.shared.n_identities} people, of whom few are in "
            "mated pairs. Give more people."
        )
    evidence = [Evidence.of(one, threshold) if one is not None else None for one in (tuned, reported)]
    return ThresholdFile(
        threshold,
        threshold - reach,
        threshold + reach,
        tuned.metric,
        request,
        tuned.table.spec,
        *evidence,
        Probability.fit(tuned.trials),
        curve_points((tuned if reported is None else reported).rates.curve),
        software_versions(),
        score,
    )


def curve_points(curve: ErrorCurve) -> tuple[tuple[float, float, float], ...]:
    """Thresholds with FMR and FNMR, spaced evenly in the logarithm of the FMR, the lowest without a false match last."""
    wanted = np.unique(np.geomspace(1, curve.n_non_mated, _MAX_POINTS - 1).astype(np.int64))[::-1]
    falling = -curve.n_false_matches
    chosen = np.unique(np.append(np.searchsorted(falling, -wanted), np.searchsorted(falling, 0)))
    thresholds = [curve.threshold_before(int(k)) for k in chosen]
    return tuple(
        (t, float(fmr), float(fnmr)) for t, fmr, fnmr in zip(thresholds, curve.fmr[chosen], curve.fnmr[chosen])
    )


def save_threshold(path: str | os.PathLike, file: ThresholdFile) -> None:
    """Write a threshold as JSON, atomically, and the arrays of its score, where it has one, beside it."""
    values = file.to_json()
    if file.score is not None:
        values["score"] = save_score(arrays_path(path), file.score)
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
        return _from_json(json.loads(content, parse_constant=_refuse_constant), arrays_path(path))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise ThresholdError(f"{path} is not a threshold file of this version: {error}") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _from_json(values: object, score_path: Path) -> ThresholdFile:
    if not isinstance(values, dict) or values.get("format") != FORMAT or values.get("version") != VERSION:
        raise ValueError(f"it must be an object with format {FORMAT!r} and version {VERSION}.")
    described = values.pop("score", None)
    names = {f.name for f in fields(ThresholdFile)} - {"score"}
    exactly(values, names | {"format", "version", "embedder_digest"}, "the file")
    spec = TableSpec.from_json(values["spec"])
    if spec.embedder_digest != values["embedder_digest"]:
        raise ValueError("its specification does not fit its embedder digest.")
    exactly(values["probability"], {"slope", "intercept"}, "probability")
    file = ThresholdFile(
        **{name: number(values[name]) for name in ("threshold", "unsure_low", "unsure_high")},
        metric=str(values["metric"]),
        request=Request.from_json(values["request"]),
        spec=spec,
        tuned_on=Evidence.from_json(values["tuned_on"]),
        reported_on=None if values["reported_on"] is None else Evidence.from_json(values["reported_on"]),
        probability=Probability(**{name: number(value) for name, value in values["probability"].items()}),
        points=_points(values["points"]),
        versions={str(name): str(version) for name, version in values["versions"].items()},
        score=None if described is None else load_score(score_path, described, spec.embedder.dimension),
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


def _points(values: object) -> tuple[tuple[float, float, float], ...]:
    if not isinstance(values, list) or not 0 < len(values) <= _MAX_POINTS:
        raise ValueError(f"points must be a list of 1 to {_MAX_POINTS}.")
    points = np.array([[number(x) for x in point] for point in values])
    if points.shape != (len(values), 3) or (np.diff(points[:, 0]) < 0).any() or (np.diff(points[:, 1]) > 0).any():
        raise ValueError("points must be triples with ascending similarity and falling FMR.")
    if not ((points[:, 1:] >= 0) & (points[:, 1:] <= 1)).all():
        raise ValueError("rates of points must be in [0, 1].")
    return tuple(map(tuple, points.tolist()))
