"""What a result says, in the words and positions that the templates put into HTML."""

from __future__ import annotations

from dataclasses import dataclass

from faceheads.headfile import HeadFile
from faceheads.verification.threshold_file import MATCH, NON_MATCH, UNSURE

from ..annotate.colours import face_colour, text_colour
from ..annotate.decisions import Decision, FaceDecisions, percent
from .comparing import Comparison

#: Between these quantiles of the errors on held-out faces lie nine of ten.
_LOW, _HIGH = "0.05", "0.95"
#: What targets are called where their own name would say too much.
_LABELS = {"race": "race as annotated"}
#: Classes below this probability have no bar, but so many always have one.
_RARE, _BARS_AT_LEAST = 0.01, 2
#: Smaller rates are easier to understand as one in so many.
_SMALL_RATE = 2e-3
_ANSWERS = {MATCH: "The same person", NON_MATCH: "Two different people", UNSURE: "Unsure"}


@dataclass(frozen=True)
class Bar:
    """The probability of one class: its name, its share in percent as a number and as words, whether it was decided."""

    name: str
    width: float
    text: str
    is_decided: bool


@dataclass(frozen=True)
class DecisionView:
    """One decision about a face.

    Attributes
    ----------
    label, headline, note : str
    is_unsure : bool
    bars : tuple of Bar
        Of classes that are not rare, the most probable first; empty for a number.
    n_rare : int
        Classes without a bar.
    target : str
        What an explanation can be asked for; empty where none can.
    """

    label: str
    headline: str
    note: str
    is_unsure: bool
    bars: tuple[Bar, ...]
    n_rare: int
    target: str

    @classmethod
    def of(cls, decision: Decision, file: HeadFile) -> DecisionView:
        """The view of a decision of some heads."""
        label = _LABELS.get(decision.task, decision.task)
        target = decision.task if decision.task in file.targets else ""
        if decision.value is not None:
            headline = decision.text.removeprefix(f"{decision.task} ")
            return cls(label, headline, _interval(decision, file), False, (), 0, target)
        ranked = sorted(decision.probabilities.items(), key=lambda item: -item[1])
        bars = tuple(
            Bar(name, 100 * p, percent(p), name == decision.predicted and not decision.is_unsure)
            for position, (name, p) in enumerate(ranked)
            if position < _BARS_AT_LEAST or p >= _RARE
        )
        headline = "unsure" if decision.is_unsure else decision.predicted
        return cls(label, headline, "", decision.is_unsure, bars, len(ranked) - len(bars), target)


def _interval(decision: Decision, file: HeadFile) -> str:
    """Where nine of ten true values lie, by the errors on held-out faces; empty where they are not known."""
    head = next((head for head in file.heads if decision.task in head.target.columns), None)
    quantiles = {} if head is None else head.report.residual_quantiles
    if _LOW not in quantiles or _HIGH not in quantiles:
        return ""
    low, high = decision.value + quantiles[_LOW], decision.value + quantiles[_HIGH]
    unit = f" {head.target.unit}" if head.target.unit else ""
    low = max(low, 0.0) if head.target.unit == "years" else low
    return f"nine of ten test faces: {low:.0f} to {high:.0f}{unit}"


@dataclass(frozen=True)
class FaceView:
    """A face with its decisions.

    Attributes
    ----------
    number : int
        As on the picture, from 1.
    thumbnail : str
        Address of its picture.
    colour, ink : str
        Of its number, as in the picture; CSS.
    decisions : tuple of DecisionView
    attributes : tuple of Bar
        Of heads with many attributes.
    reason : str
        Why there are no decisions; may be empty.
    """

    number: int
    thumbnail: str
    colour: str
    ink: str
    decisions: tuple[DecisionView, ...]
    attributes: tuple[Bar, ...]
    reason: str

    @classmethod
    def of(cls, index: int, face: FaceDecisions, thumbnail: str, file: HeadFile) -> FaceView:
        """The view of the face at a position."""
        colour = face_colour(face)
        decisions = tuple(DecisionView.of(decision, file) for decision in face.decisions)
        attributes = tuple(Bar(name, 100 * p, percent(p), p >= 0.5) for name, p in face.attributes.items())
        return cls(index + 1, thumbnail, _css(colour), _css(text_colour(colour)), decisions, attributes, face.reason)


def _css(rgb: tuple[int, int, int]) -> str:
    return "rgb({}, {}, {})".format(*rgb)


@dataclass(frozen=True)
class Scale:
    """Where things lie on a line of similarities, in percent of its length."""

    similarity: float
    threshold: float
    unsure_low: float
    unsure_high: float
    first: float
    last: float


@dataclass(frozen=True)
class AnswerView:
    """What a comparison says.

    Attributes
    ----------
    answer : str
        ``"match"``, ``"non-match"``, ``"unsure"``, or empty where there is no threshold.
    headline : str
    lines : tuple of (str, str)
        Names and values.
    scale : Scale or None
    """

    answer: str
    headline: str
    lines: tuple[tuple[str, str], ...]
    scale: Scale | None

    @classmethod
    def of(cls, comparison: Comparison) -> AnswerView:
        """The view of a comparison."""
        file, decision = comparison.choice.file, comparison.decision
        if decision is None:
            lines = (("cosine similarity", f"{comparison.similarity:.4f}"),)
            return cls("", "No answer: nobody measured a threshold for this embedder", lines, None)
        evidence = file.errors.evidence
        bound = "less than about " if decision.fmr_is_bound else ""
        lines = (
            ("probability", f"{percent(decision.probability)} that this is one person, if half of all pairs were"),
            ("false match rate", f"{bound}{_share(decision.fmr)} of pairs of two people are at least this alike"),
            (
                "similarity",
                f"{comparison.similarity:.4f} ({file.score_name}); the same person from {file.threshold:.4f} on",
            ),
            (
                "threshold",
                f"false match rate {_share(evidence.fmr.value)}; misses {_share(evidence.fnmr.value)} of pairs of one person",
            ),
            ("measured on", f"{evidence.n_non_mated:,} pairs of {evidence.n_identities:,} people: {evidence.data}"),
        )
        return cls(decision.answer, _ANSWERS[decision.answer], lines, _scale(comparison))


def _scale(comparison: Comparison) -> Scale:
    file, similarity = comparison.choice.file, comparison.similarity
    known = [point[0] for point in file.points]
    first, last = min(known[0], similarity), max(known[-1], similarity, 1.0 if file.metric == "cosine" else similarity)
    length = last - first if last > first else 1.0

    def at(value: float) -> float:
        return round(100 * min(max((value - first) / length, 0.0), 1.0), 2)

    return Scale(at(similarity), at(file.threshold), at(file.unsure_low), at(file.unsure_high), first, last)


def _share(value: float) -> str:
    """A rate in percent, or as one in so many where it is small; two digits of it."""
    if value <= 0:
        return "none"
    return f"{100 * value:.2g} %" if value >= _SMALL_RATE else f"one in {float(f'{1 / value:.2g}'):,.0f}"
