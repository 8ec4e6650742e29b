"""The pictures of one head that show all held-out rows together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ...fitted_head import Head
from ...measuring import Answers, Details
from ...metrics.intervals import Estimate
from ...targets import CLASSIFICATION, REGRESSION
from ...wording import estimate_text
from ..charts.attributes import attributes_size, draw_attributes
from ..charts.confusion import MAX_CLASSES, confusion_counts, confusion_size, draw_confusion
from ..charts.curves import FEW_ROWS, MAX_CURVES, draw_precision_recall, draw_reliability, draw_roc
from ..charts.numbers import draw_errors, draw_predicted_against_true
from ..document import Block, Picture, Pictures, Text
from ..style import SIZE, draw_png


def head_pictures(head: Head, answers: Answers, details: Details, name: str) -> list[Block]:
    """Confusions and curves, predictions and errors, or what each of many attributes reaches.

    Parameters
    ----------
    head : Head
        With its report, whose figures the captions repeat.
    answers : Answers
    details : Details
    name : str
        The beginning of the names of the pictures.
    """
    if head.target.task == CLASSIFICATION:
        return _of_classes(head, answers, name)
    made = _of_number(head, answers, details, name) if head.target.task == REGRESSION else _of_attributes(head, name)
    return [Pictures(tuple(made))]


def _of_classes(head: Head, answers: Answers, name: str) -> list[Block]:
    classes, metrics = head.target.classes, head.report.metrics
    pictures = []
    if len(classes) <= MAX_CLASSES:
        counts = confusion_counts(answers)
        draw = partial(draw_confusion, counts=counts, names=classes, what="class")
        caption = f"Rows by true and decided class; accuracy {estimate_text('accuracy', metrics['accuracy'])}."
        pictures.append(_picture(f"{name}_confusion", draw, caption, confusion_size(len(classes))))
    pictures += list(_curves(head, answers, name))
    too_many = f"There are {len(classes)} classes: more than {MAX_CLASSES} make no readable confusion matrix."
    return [Pictures(tuple(pictures)), *([Text(too_many)] if len(classes) > MAX_CLASSES else [])]


def _curves(head: Head, answers: Answers, name: str) -> Iterator[Picture]:
    classes, metrics = head.target.classes, head.report.metrics
    if len(classes) == 2:
        whose = f"of {str(classes[1])!r}"
    else:
        shown = "" if len(classes) <= MAX_CURVES else f", the first {MAX_CURVES}"
        whose = f"of each class against the others{shown}"
    mean = "" if len(classes) == 2 else "mean "
    yield _picture(
        f"{name}_roc", partial(draw_roc, answers=answers), f"ROC {whose}; {mean}area {_told(metrics, 'roc_auc')}."
    )
    yield _picture(
        f"{name}_precision_recall",
        partial(draw_precision_recall, answers=answers),
        f"Precision over recall {whose}; {mean}area {_told(metrics, 'pr_auc')}.",
    )
    yield _picture(
        f"{name}_reliability",
        partial(draw_reliability, answers=answers),
        f"Are the probabilities right? Expected calibration error {_told(metrics, 'ece')}: the mean distance, weighted by "
        f"the rows of each bin. Hollow: fewer than {FEW_ROWS} rows.",
    )


def _told(metrics: Mapping[str, Estimate], name: str) -> str:
    return estimate_text(name, metrics[name])


def _of_number(head: Head, answers: Answers, details: Details, name: str) -> Iterator[Picture]:
    metrics = head.report.metrics
    unit = f" {head.target.unit}" if head.target.unit else ""
    yield _picture(
        f"{name}_predicted",
        partial(draw_predicted_against_true, answers=answers),
        f"Predicted against true; mean absolute error {_told(metrics, 'mae')}{unit}.",
    )
    middle = head.report.residual_quantiles
    yield _picture(
        f"{name}_errors",
        partial(draw_errors, answers=answers),
        f"Errors; half of the truths lie {middle['0.25']:+.1f} to {middle['0.75']:+.1f}{unit} from the prediction.",
    )
    if details.decades is not None and len(details.decades.names) <= MAX_CLASSES:
        decades = details.decades
        draw = partial(draw_confusion, counts=decades.counts, names=decades.names, what="decade")
        yield _picture(f"{name}_decades", draw, "Which decade is taken for which.", confusion_size(len(decades.names)))


def _of_attributes(head: Head, name: str) -> Iterator[Picture]:
    report = head.report
    draw = partial(draw_attributes, attributes=report.attributes, baselines=report.attribute_baselines)
    caption = (
        "Accuracy of each attribute (dots) with its 95 % interval; crosses: always saying the more frequent value."
    )
    yield _picture(f"{name}_accuracies", draw, caption, attributes_size(len(report.attributes)))


def _picture(name: str, draw: Callable[[Any], None], caption: str, size: tuple[float, float] = SIZE) -> Picture:
    return Picture(name, draw_png(draw, size), caption)
