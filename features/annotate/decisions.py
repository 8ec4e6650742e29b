"""What is said about a face: raw outputs of heads turned into decisions with a text.

A *margin* is the distance between the probability of the decided class and that of its strongest rival. Below the
margin a decision is *unsure*: the picture says so, the tables keep the class, its probabilities and the flag.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from faceheads.fitted_head import UNSURE_MARGIN

from ..face import Face

#: The columns that the original ``pred.py`` kept of the 73 attributes of LFWA, in the order of its tables.
ORIGINAL_ATTRIBUTES = ("Male", "Asian", "White", "Black")
#: Attributes that exclude each other and are read as one task ``race``: the largest wins, as in the original.
RACE_ATTRIBUTES = ("Asian", "White", "Black", "Indian")
#: From this probability on a binary attribute is said to be there, as in the original.
ATTRIBUTE_THRESHOLD = 0.5


@dataclass(frozen=True)
class Decision:
    """One answer of one head about one face.

    Attributes
    ----------
    task : str
        What was asked, for example ``"gender"``; names the columns of the tables.
    text : str
        What is drawn: ``"female 97 %"``, ``"age 34 ± 6"``, ``"gender unsure"``.
    is_unsure : bool
        Whether the probabilities are closer together than the margin.
    probabilities : mapping of str to float, or None
        Probability of every class in [0, 1], in the order of the head; None for a regression.
    value : float or None
        Predicted number of a regression.
    error : float or None
        Typical error of ``value`` in the same unit.
    predicted : str or None
        The class decided on, also where the decision is unsure; None for a regression. Without probabilities it is one
        of an open set, such as names: tables list what occurs instead of counting each class.
    details : mapping of str to float or str
        What else the tables say, in columns ``TASK_KEY``; not drawn.
    palette_position : int or None
        Which colour of the palette the face has, counted round and round; None for that of the class.

    Raises
    ------
    ValueError
        If the task has no name, a probability is outside [0, 1], a number is not finite, or ``predicted`` is no class.
    """

    task: str
    text: str
    is_unsure: bool = False
    probabilities: Mapping[str, float] | None = None
    value: float | None = None
    error: float | None = None
    predicted: str | None = None
    details: Mapping[str, float | str] = field(default_factory=dict)
    palette_position: int | None = None

    def __post_init__(self) -> None:
        if not self.task:
            raise ValueError("task must name what was asked, for example 'gender'; got an empty string.")
        if self.probabilities is not None:
            _check_probabilities(self.task, self.probabilities)
        for name in ("value", "error"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{name} of task {self.task!r} must be a finite number; got {number!r}.")
        if self.predicted is not None and self.probabilities is not None and self.predicted not in self.probabilities:
            raise ValueError(
                f"predicted must be a class of task {self.task!r}, one of {list(self.probabilities)}; "
                f"got {self.predicted!r}."
            )


@dataclass(frozen=True, eq=False)
class FaceDecisions:
    """A face and everything that was decided about it.

    Attributes
    ----------
    face : Face
        Where it is.
    decisions : tuple of Decision
        Drawn in this order; the first one that has classes gives the colour. May be empty: the box is drawn alone.
    attributes : mapping of str to float
        Raw probabilities of the columns of a multi-label head (``Male``, ``Asian``, …): written to the tables, not
        drawn.
    status : str
        A value of :class:`faceheads.table.Status`: ``"ok"``, ``"too_small"``, …
    reason : str
        Why there are no decisions; may be empty.
    """

    face: Face
    decisions: tuple[Decision, ...] = ()
    attributes: Mapping[str, float] = field(default_factory=dict)
    status: str = "ok"
    reason: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "decisions", tuple(self.decisions))
        _check_probabilities("attributes", self.attributes)
        tasks = [d.task for d in self.decisions]
        if len(set(tasks)) != len(tasks):
            raise ValueError(f"Each task may be decided once for a face; got {tasks}.")


def describe(
    task: str,
    output: Mapping[str, float] | float,
    *,
    margin: float = UNSURE_MARGIN,
    predicted: str | None = None,
    is_unsure: bool | None = None,
    error: float | None = None,
    unit: str = "",
) -> Decision:
    """A decision with its text, from what one head gives for one face.

    Parameters
    ----------
    task : str
        What was asked.
    output : mapping of str to float, or float
        Probabilities by class, or the number that a regression predicts.
    margin : float, default 0.2
        Classes only: closer rivals than this make the decision unsure; 0 is never unsure.
    predicted : str, optional
        Classes only: the class that the head decided on, where its threshold is not the larger probability.
    is_unsure : bool, optional
        Classes only: the head's own judgement, instead of the margin.
    error : float, optional
        Numbers only: typical error in the unit of the number.
    unit : str, optional
        Numbers only: drawn behind the number.

    Raises
    ------
    ValueError
        If there are no classes, a number is not finite or a probability is outside [0, 1].

    Examples
    --------
    >>> describe("gender", {"male": 0.03, "female": 0.97}).text
    'female 97 %'
    >>> describe("gender", {"male": 0.45, "female": 0.55}).text
    'gender unsure'
    >>> describe("age", 34.2, error=5.7).text
    'age 34 ± 6'
    """
    if isinstance(output, Mapping):
        return _describe_classes(task, output, margin, predicted, is_unsure)
    return _describe_number(task, float(output), error, unit)


def describe_attributes(
    probabilities: Mapping[str, float],
    shown: Sequence[str] = ORIGINAL_ATTRIBUTES,
    *,
    margin: float = UNSURE_MARGIN,
) -> tuple[Decision, ...]:
    """Decisions from a head with one independent probability per attribute, such as the 73 columns of LFWA.

    ``Male`` becomes the task ``gender`` with the classes Male and Female, two or more of Asian, White, Black and Indian
    become ``race``, where the largest wins (the probabilities are not normalised); every other attribute is a task of
    its own, ``Eyeglasses`` against ``no Eyeglasses``.

    Parameters
    ----------
    probabilities : mapping of str to float
        Probability of each attribute.
    shown : sequence of str, default ("Male", "Asian", "White", "Black")
        Attributes to decide on.
    margin : float, default 0.2
        As in :func:`describe`.

    Raises
    ------
    ValueError
        If ``shown`` names an attribute that the head does not have.

    Examples
    --------
    >>> [d.text for d in describe_attributes({"Male": 0.9, "Asian": 0.01, "White": 0.88, "Black": 0.1})]
    ['White 88 %', 'Male 90 %']
    """
    missing = [name for name in shown if name not in probabilities]
    if missing:
        raise ValueError(f"shown must name attributes of the head, some of {list(probabilities)}; got {missing}.")
    return merge_attributes(
        shown, probabilities, lambda name: describe_attribute(name, probabilities[name], margin), margin
    )


def describe_attribute(
    name: str,
    probability: float,
    margin: float = UNSURE_MARGIN,
    *,
    is_present: bool | None = None,
    is_unsure: bool | None = None,
) -> Decision:
    """A decision about one attribute that is there or not; ``Male`` is read as gender.

    ``is_present`` and ``is_unsure`` are the head's own judgement, where it is not given the probability 0.5 and the
    margin decide.

    Examples
    --------
    >>> describe_attribute("Eyeglasses", 0.08).text
    'no Eyeglasses 92 %'
    """
    task, yes, no = ("gender", "Male", "Female") if name == "Male" else (name, name, f"no {name}")
    if is_present is None:
        is_present = probability >= ATTRIBUTE_THRESHOLD
    output = {yes: probability, no: 1 - probability}
    return describe(task, output, margin=margin, predicted=yes if is_present else no, is_unsure=is_unsure)


def merge_attributes(
    names: Sequence[str],
    probabilities: Mapping[str, float],
    describe_one: Callable[[str], Decision],
    margin: float = UNSURE_MARGIN,
) -> tuple[Decision, ...]:
    """Race from its attributes where there are at least two, the other attributes one by one."""
    races = [name for name in names if name in RACE_ATTRIBUTES]
    if len(races) < 2:
        return tuple(describe_one(name) for name in names)
    race = describe("race", {name: probabilities[name] for name in races}, margin=margin)
    return (race, *(describe_one(name) for name in names if name not in races))


def _describe_classes(
    task: str, probabilities: Mapping[str, float], margin: float, predicted: str | None, is_unsure: bool | None
) -> Decision:
    probabilities = {str(name): float(p) for name, p in probabilities.items()}
    if not probabilities:
        raise ValueError(f"output must have at least one class for task {task!r}; got none.")
    if predicted is None:
        predicted = max(probabilities, key=probabilities.__getitem__)
    elif predicted not in probabilities:
        raise ValueError(f"predicted must be one of {list(probabilities)} for task {task!r}; got {predicted!r}.")
    if is_unsure is None:
        rivals = [p for name, p in probabilities.items() if name != predicted]
        is_unsure = bool(rivals) and abs(probabilities[predicted] - max(rivals)) < margin
    text = f"{task} unsure" if is_unsure else f"{predicted} {percent(probabilities[predicted])}"
    return Decision(task, text, is_unsure, probabilities, predicted=predicted)


def _describe_number(task: str, value: float, error: float | None, unit: str) -> Decision:
    if not math.isfinite(value):
        raise ValueError(f"output must be a finite number for task {task!r}; got {value!r}.")
    text = f"{task} {_rounded(value, error)}"
    if error is not None:
        text += f" ± {_rounded(error, error)}"
    return Decision(task, f"{text} {unit}".rstrip(), value=value, error=error)


def percent(probability: float) -> str:
    """A probability as a percentage that never claims certainty it does not have.

    Examples
    --------
    >>> percent(0.974), percent(0.9999), percent(1.0), percent(0.0004)
    ('97 %', '>99 %', '100 %', '<1 %')
    """
    rounded = round(100 * probability)
    if rounded == 100 and probability < 1:
        return ">99 %"
    if rounded == 0 and probability > 0:
        return "<1 %"
    return f"{rounded} %"


def _rounded(number: float, error: float | None) -> str:
    """``number`` with the decimals that its error leaves meaningful; three digits where no error is known."""
    if error is not None and error > 0:
        decimals = max(0, -math.floor(math.log10(error)))
        return f"{round(number, decimals) + 0.0:.{decimals}f}"  # adding 0.0 turns -0.0 into 0.0
    if number == 0:
        return "0"
    text = f"{number:.{max(0, 2 - math.floor(math.log10(abs(number))))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _check_probabilities(what: str, probabilities: Mapping[str, float]) -> None:
    wrong = {name: p for name, p in probabilities.items() if not 0 <= p <= 1}
    if wrong:
        raise ValueError(f"probabilities of {what!r} must lie in [0, 1]; got {wrong}.")
