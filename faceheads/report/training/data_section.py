"""The section on the data: how many images became what, which labels they have, how they were split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...samples import Samples
from ...splits import NEITHER, TEST, TRAIN
from ...table import Status
from ...targets import CLASSIFICATION, MULTILABEL, Target
from ...training import TrainingResult
from ..document import Block, Section, Table, Text
from .sources import Sources

_PARTS = ((TRAIN, "train"), (TEST, "test"), (NEITHER, "neither"))
_STATUS_WORDS = {
    Status.OK: "face found",
    Status.WHOLE_IMAGE: "no face found, taken whole",
    Status.NO_FACE: "no face found",
    Status.SEVERAL_FACES: "several faces",
    Status.TOO_SMALL: "face too small",
    Status.UNREADABLE: "unreadable",
    Status.FAILED: "failed",
}
#: Classes whose counts are listed.
_MAX_CLASSES = 40
_QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def data_section(result: TrainingResult, sources: Sources) -> Section:
    """What was learned from and tested on."""
    samples, training = result.samples, result.file.training
    where = f"Embeddings: {sources.feature}. Labels: {sources.label}."
    split = (
        f"Split: {training['split']}. Kept together on one side: {training['groups']}. Train {training['n_train']:,} rows "
        f"of {training['n_train_groups']:,} groups, test {training['n_test']:,} rows of {training['n_test_groups']:,} "
        "groups, none in both. Test rows without an embedding count as what the training labels alone suggest."
    )
    blocks = [Text(where), _status_table(samples, sources), Text(split)]
    for head in result.file.heads:
        blocks += _label_tables(samples, head.target)
    return Section("Data and split", tuple(blocks))


def _status_table(samples: Samples, sources: Sources) -> Table:
    whole = sources.table.status.astype(str)
    rows = []
    for status, words in _STATUS_WORDS.items():
        counts = [int((whole == status.value).sum())]
        own = samples.table.status.astype(str) == status.value
        counts += [int((own & samples.in_part(part)).sum()) for part, _ in _PARTS]
        if counts[0]:
            rows.append((words, *(f"{n:,}" for n in counts)))
    header = ("rows of the table", "all", *(f"labelled, {name}" for _, name in _PARTS))
    return Table(header, tuple(rows), f"{sources.table.n_images:,} images")


def _label_tables(samples: Samples, target: Target) -> Sequence[Block]:
    if target.task == MULTILABEL:
        return []  # the section of the head has one line for each attribute
    column = samples.labels[target.columns[0]]
    if target.task == CLASSIFICATION:
        return [_class_table(samples, target)] if len(target.classes) <= _MAX_CLASSES else []
    numbers = column.to_numpy(np.float64)
    rows = [(name, *_quantile_cells(numbers[samples.in_part(part)])) for part, name in _PARTS[:2]]
    header = (
        f"{target.name}{f' ({target.unit})' if target.unit else ''}",
        "lowest",
        "25 %",
        "median",
        "75 %",
        "highest",
    )
    return [Table(header, tuple(rows))]


def _quantile_cells(numbers: np.ndarray) -> list[str]:
    return [f"{q:.4g}" for q in np.nanquantile(numbers, _QUANTILES)]


def _class_table(samples: Samples, target: Target) -> Table:
    column = samples.labels[target.columns[0]]
    codes = np.full(len(column), -1)
    is_known = column.notna().to_numpy()
    codes[is_known] = target.encode(samples.labels.loc[is_known, list(target.columns)])
    counts = [pd.Series(codes[samples.in_part(part)]).value_counts() for part, _ in _PARTS[:2]]
    rows = [
        (
            str(name),
            *(_count_cell(int(found.get(c, 0)), int(found.drop(-1, errors="ignore").sum())) for found in counts),
        )
        for c, name in enumerate(target.classes)
    ]
    return Table((target.name, "train", "test"), tuple(rows))


def _count_cell(n: int, n_all: int) -> str:
    return f"{n:,} ({100 * n / max(n_all, 1):.1f} %)"
