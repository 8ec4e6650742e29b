"""The cards of what can be chosen: what it learned from, how often it errs, what it is not for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from faceheads.fitted_head import Head
from faceheads.metrics.intervals import Estimate
from faceheads.report.training.model_card import ModelCard
from faceheads.spec import EmbedderSpec, TableSpec
from faceheads.targets import CLASSIFICATION, REGRESSION
from faceheads.wording import baseline_in_words, estimate_text, metric_label, task_in_words

from .models import ComparisonChoice, HeadChoice

_SHIPPED_TERMS = (
    "learned from UTKFace, whose terms are non-commercial research (MODEL_LICENSES.md). The labels are what annotators or programs "
    "said of photos from the web, not what people say of themselves."
)
_MAIN_METRIC = {CLASSIFICATION: "balanced_accuracy", REGRESSION: "mae"}
_PLAIN_METRIC = "accuracy"


@dataclass(frozen=True)
class Card:
    """Names and texts, in order."""

    title: str
    rows: tuple[tuple[str, str], ...]


def head_card(choice: HeadChoice) -> Card:
    """The card of some heads."""
    words = ModelCard()
    file = choice.file
    rows = [(head.target.name, _head_in_words(head)) for head in file.heads]
    rows += [
        ("data and terms", _SHIPPED_TERMS if choice.is_shipped else words.terms),
        ("for", words.intended_use),
        ("not for", words.excluded_use),
        *_pipeline_rows(file.table_spec),
        ("training data", f"sha256 {str(file.training.get('data_sha256', 'not stated'))[:16]}"),
        ("versions", ", ".join(f"{name} {version}" for name, version in file.versions.items())),
    ]
    return Card(choice.name, tuple(rows))


def _head_in_words(head: Head) -> str:
    report = head.report
    told = "; ".join(_metrics_in_words(head))
    return (
        f"{task_in_words(head)}; {head.kind}. {told} ({report.n_test:,} test faces, 95 % intervals)"
        if told
        else head.kind
    )


def _metrics_in_words(head: Head) -> Iterator[str]:
    report, task = head.report, head.target.task
    for name in dict.fromkeys((_PLAIN_METRIC, _MAIN_METRIC.get(task, _PLAIN_METRIC))):
        if name in report.metrics:
            beside = (
                f", {baseline_in_words(task)} alone {estimate_text(name, report.baseline[name])}"
                if name in report.baseline
                else ""
            )
            yield f"{metric_label(name, head.target.unit)} {estimate_text(name, report.metrics[name])}{beside}"


def comparison_card(choice: ComparisonChoice) -> Card:
    """The card of a way to compare."""
    file = choice.file
    if file is None:
        claim = (
            "none: a similarity without a threshold says nothing about identity. Make a threshold from photos of people who may be used "
            "for it, with verify.py --feature F --identity LABELS --save_threshold T.json, and start the app with --threshold T.json."
        )
        return Card(choice.name, (("claim", claim), *_embedder_rows(choice.config.embedder.build().spec)))
    evidence = file.errors.evidence
    reported = (
        "on other people than it was found on"
        if file.reported_on is not None
        else "on the people it was found on: on others it may err more"
    )
    rows = [
        (
            "threshold",
            f"{file.threshold:.4f} ({file.score_name}), unsure from {file.unsure_low:.4f} to {file.unsure_high:.4f}",
        ),
        ("false match rate", f"{_rate(evidence.fmr)}, {reported}"),
        ("false non-match rate", _rate(evidence.fnmr)),
        (
            "measured on",
            f"{evidence.data}: {evidence.n_identities:,} people, {evidence.n_non_mated:,} pairs of two people",
        ),
        ("probability", "if half of all pairs were of one person; among strangers it is far less"),
        (
            "not for",
            "decisions about single persons without somebody who looks; people unlike those it was measured on",
        ),
        *_pipeline_rows(file.spec),
    ]
    return Card(choice.name, tuple(rows))


def _rate(estimate: Estimate) -> str:
    """An error rate in percent with its interval."""
    return f"{100 * estimate.value:.2g} % [{100 * estimate.low:.2g}, {100 * estimate.high:.2g}]"


def _pipeline_rows(spec: TableSpec) -> list[tuple[str, str]]:
    settings = ", ".join(f"{name} {value}" for name, value in sorted(spec.detector_settings.items()))
    return [("detector", f"{spec.detector} ({settings})"), *_embedder_rows(spec.embedder)]


def _embedder_rows(spec: EmbedderSpec) -> list[tuple[str, str]]:
    words = f"{spec.network}, layers {', '.join(spec.layers)}, {spec.dimension} numbers{', with mirror image' if spec.flip else ''}"
    return [("embedder", words), ("embedder digest", spec.embedder_digest)]
