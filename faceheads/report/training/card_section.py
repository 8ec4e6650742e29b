"""The model card: what the heads are, what they are for, and how to make what they take."""

from __future__ import annotations

from ...extraction_command import extraction_commands
from ...fitted_head import NOT_TUNED, Head
from ...training import TrainingResult
from ...wording import task_in_words, threshold_text
from ..document import Block, Command, Heading, Section, Table, Text
from .sources import Sources

_WORDS = {
    "data": "data",
    "terms": "terms of the data",
    "intended_use": "intended use",
    "excluded_use": "not for",
    "contact": "contact",
}


def card_section(result: TrainingResult, sources: Sources) -> Section:
    """The model card of all heads of the file."""
    training, spec = result.file.training, result.file.table_spec
    rows = [(words, getattr(sources.card, name)) for name, words in _WORDS.items()]
    rows += [
        (f"head {head.target.name}", f"{task_in_words(head)}; {head.kind}; {_threshold(head)}")
        for head in result.file.heads
    ]
    rows += [
        ("training data, sha256", str(training["data_sha256"])),
        ("seed", str(training["seed"])),
        ("intervals", str(training["interval"])),
        ("versions", ", ".join(f"{name} {version}" for name, version in result.file.versions.items())),
    ]
    if spec is not None:
        rows += [("embedder digest", spec.embedder_digest), ("table digest", spec.table_digest)]
    return Section("Model card", (Table(("", ""), tuple(rows)), *_vectors(result)))


def _threshold(head: Head) -> str:
    if not head.thresholds:
        return "no threshold"
    if len(set(head.thresholds)) == 1 and head.by_cohort is None:
        told = f"{head.thresholds[0]:.4f}"
    else:
        told = threshold_text(head)
    how = head.thresholds_from if head.thresholds_from == NOT_TUNED else f"tuned for {head.thresholds_from}"
    return f"threshold {told}, {how}"


def _vectors(result: TrainingResult) -> list[Block]:
    spec = result.file.table_spec
    if spec is None:
        words = "The table came without a specification, so it is not known how its vectors were made: these heads fit no photos."
        return [Heading("The vectors that these heads take"), Text(words)]
    words = (
        f"Vectors of {spec.embedder.dimension} numbers, embedder digest {spec.embedder_digest}; others are refused."
    )
    return [Heading("The vectors that these heads take"), Text(words), Command("\n".join(extraction_commands(spec)))]
