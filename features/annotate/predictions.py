"""From the predictions of heads for many faces to the decisions about one face."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from faceheads.prediction import Prediction

from ..face import Face
from .decisions import (
    ORIGINAL_ATTRIBUTES,
    Decision,
    FaceDecisions,
    describe,
    describe_attribute,
    merge_attributes,
)


def decide_face(
    face: Face, predictions: Sequence[Prediction], row: int, shown: Sequence[str] | None = None
) -> FaceDecisions:
    """Everything that the heads say about one face.

    A target whose two values are 0 and 1, −1 and 1, or False and True is an attribute that is there or not; see
    :func:`describe_attributes` for ``Male`` and the races.

    Parameters
    ----------
    face : Face
    predictions : sequence of Prediction
        What :meth:`faceheads.store.Head.predict` gives for all faces, of all heads.
    row : int
        Position of the face in the predictions.
    shown : sequence of str, optional
        Targets to draw, in this order of attributes; by default all, but of more than four attributes only Male, Asian,
        White and Black, or the first four. All attributes go to the tables.

    Raises
    ------
    ValueError
        If ``shown`` names something that no head predicts.
    """
    by_name = {p.target: p for p in predictions}
    missing = [] if shown is None else [name for name in shown if name not in by_name]
    if missing:
        raise ValueError(f"shown must name targets of the heads, some of {list(by_name)}; got {missing}.")
    attributes = {name: float(p.probabilities[row, 1]) for name, p in by_name.items() if _is_attribute(p)}
    names = _shown_attributes(list(attributes)) if shown is None else [n for n in shown if n in attributes]
    others = [p for name, p in by_name.items() if name not in attributes]
    decisions = [_describe_prediction(p, row) for p in others if shown is None or p.target in shown]
    merged = merge_attributes(names, attributes, lambda name: _describe_attribute(by_name[name], row))
    return FaceDecisions(face, (*decisions, *_with_free_names(merged, {p.target for p in others})), attributes)


def _is_attribute(prediction: Prediction) -> bool:
    return prediction.classes in ((0, 1), (-1, 1))  # False == 0 and True == 1


def _shown_attributes(names: Sequence[str]) -> list[str]:
    if len(names) <= len(ORIGINAL_ATTRIBUTES):
        return list(names)
    known = [name for name in ORIGINAL_ATTRIBUTES if name in names]
    return known if known else list(names[: len(ORIGINAL_ATTRIBUTES)])


def _describe_prediction(prediction: Prediction, row: int) -> Decision:
    if prediction.is_number:
        error = prediction.typical_error if math.isfinite(prediction.typical_error) else None
        unit = "" if prediction.target == "age" else prediction.unit
        return describe(prediction.target, float(prediction.value[row]), error=error, unit=unit)
    output = {str(c): float(p) for c, p in zip(prediction.classes, prediction.probabilities[row], strict=True)}
    predicted, is_unsure = str(prediction.value[row]), bool(prediction.is_unsure[row])
    return describe(prediction.target, output, predicted=predicted, is_unsure=is_unsure)


def _describe_attribute(prediction: Prediction, row: int) -> Decision:
    is_present = prediction.value[row] == prediction.classes[1]
    probability, is_unsure = float(prediction.probabilities[row, 1]), bool(prediction.is_unsure[row])
    return describe_attribute(prediction.target, probability, is_present=is_present, is_unsure=is_unsure)


def _with_free_names(decisions: Sequence[Decision], targets: Collection[str]) -> list[Decision]:
    """The decisions under another task name where a head has a target ``gender`` or ``race`` besides the attributes."""
    return [replace(d, task=f"{d.task} attribute") if d.task in targets else d for d in decisions]
