"""Train heads on a feature table and measure them on persons and images that they have not seen.

The test part is never looked at before the final measurement: nothing is chosen, tuned or refitted with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import joblib
import numpy as np
import pandas as pd

from .cohorts import cohort_columns
from .head_training import Cohorts, HeldOut, TrainedHead, train_head
from .headfile import HeadFile
from .joining import parts_of_spec
from .labels import LabelError
from .measuring import Details
from .samples import Samples, drop_conflicts, group_samples, join_labels, split_samples
from .splits import TEST, TRAIN
from .store import make_golden_inputs
from .table import FaceTable
from .targets import CLASSIFICATION, Target, find_targets
from .training_options import TrainingOptions

#: On fewer rows all heads are trained before another process has started.
PARALLEL_ROWS = 3000


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """Trained heads and what should be known about them.

    Attributes
    ----------
    file : HeadFile
    samples : Samples
        With their parts.
    remarks : tuple of str
    details : tuple of Details
        For each head of the file: by the columns of ``TrainingOptions.cohorts`` and their pairs, and by decade.
    held_out : tuple of HeldOut
        For each head of the file.
    cohorts : mapping of str to Categorical of n_samples rows
        The columns of ``TrainingOptions.cohorts`` and their pairs.
    """

    file: HeadFile
    samples: Samples
    remarks: tuple[str, ...]
    details: tuple[Details, ...]
    held_out: tuple[HeldOut, ...]
    cohorts: Mapping[str, pd.Categorical]


def train_heads(table: FaceTable, labels: pd.DataFrame, options: TrainingOptions | None = None) -> TrainingResult:
    """Heads for the targets of a label table, trained on one part of the images and measured on the other.

    Parameters
    ----------
    table : FaceTable
    labels : DataFrame
        Index = key, as :func:`faceheads.labels.read_labels` gives.
    options : TrainingOptions, optional

    Raises
    ------
    LabelError
        If labels do not fit the table, the targets, or the split.
    ValueError
        If a part is empty.
    """
    options = TrainingOptions() if options is None else options
    samples = join_labels(table, labels, options.allow_unlabelled)
    targets, remarks = find_targets(samples.labels, options.targets, options.task, options.tasks)
    _check_heads(targets, options)
    samples = drop_conflicts(samples, [column for target in targets for column in target.columns])
    samples = split_samples(group_samples(samples, options.groups), options.split, options.test_size, options.seed)
    cohorts = _cohorts(samples, options)
    results = _train_all(samples, targets, options, cohorts)
    learned = samples.in_part(TRAIN) & samples.table.has_embedding
    file = HeadFile(
        heads=tuple(result.head for result in results),
        table_spec=table.spec,
        golden_inputs=make_golden_inputs(samples.table.embedding[learned], options.seed),
        training=_describe_training(samples, targets, options),
    )
    all_remarks = (
        *remarks,
        *_joined_remark(table),
        *samples.remarks,
        *(remark for result in results for remark in result.remarks),
    )
    details, held_out = (tuple(getattr(result, name) for result in results) for name in ("details", "held_out"))
    return TrainingResult(file, samples, all_remarks, details, held_out, cohorts.measured)


def _joined_remark(table: FaceTable) -> list[str]:
    """That the vectors are those of several embedders, and which."""
    parts = [] if table.spec is None else parts_of_spec(table.spec)
    words = ", ".join(
        f"{part.embedder.network} ({part.embedder.dimension} numbers, {part.embedder_digest})" for part in parts
    )
    return [f"vectors of {len(parts)} embedders, joined: {words}"] if len(parts) > 1 else []


def _cohorts(samples: Samples, options: TrainingOptions) -> Cohorts:
    measured = cohort_columns(samples, options.cohorts)
    if options.reweigh is None:
        return Cohorts(measured)
    return Cohorts(measured, cohort_columns(samples, [options.reweigh])[options.reweigh])


def _train_all(
    samples: Samples, targets: list[Target], options: TrainingOptions, cohorts: Cohorts
) -> list[TrainedHead]:
    """The heads in the order of the targets, several at once in processes; each process has its share of the cores."""
    is_large = len(samples.table) >= PARALLEL_ROWS
    n_jobs = min(options.jobs, len(targets)) if is_large else 1
    options = replace(options, jobs=1 if n_jobs > 1 or not is_large else options.jobs)
    ahead = {target.name: train_head(samples, target, options, cohorts) for target in _cohort_target(targets, options)}
    cohort_head = next((result.head for result in ahead.values()), None)
    others = [target for target in targets if target.name not in ahead]
    found = joblib.Parallel(n_jobs=n_jobs)(
        joblib.delayed(train_head)(samples, target, options, cohorts, cohort_head) for target in others
    )
    by_name = ahead | {target.name: result for target, result in zip(others, found, strict=True)}
    return [by_name[target.name] for target in targets]


def _cohort_target(targets: list[Target], options: TrainingOptions) -> list[Target]:
    """The target that predicts cohorts for thresholds that differ between them; none where nothing asks for it."""
    if options.tuning is None or not options.tuning.per_cohort:
        return []
    name = options.cohorts[0] if options.cohorts else None
    found = [target for target in targets if target.name == name and target.task == CLASSIFICATION]
    if not found:
        raise LabelError(
            f"Thresholds by cohort need the cohort of new faces, which is predicted: {name!r} must be both the first "
            "--cohort and a --target with classes."
        )
    return found


def _check_heads(targets: list[Target], options: TrainingOptions) -> None:
    unknown = sorted(set(options.heads) - {target.name for target in targets})
    if unknown:
        raise LabelError(f"A head was given for {unknown}, which is not among {[t.name for t in targets]}.")


# ------------------------------------------------------------------------------------------------- describing


def _describe_training(samples: Samples, targets: list[Target], options: TrainingOptions) -> dict:
    columns = [column for target in targets for column in target.columns]
    return {
        "data_sha256": data_hash(samples, columns),
        "groups": samples.grouped_by,
        "split": samples.split_by,
        "n_train": int(samples.in_part(TRAIN).sum()),
        "n_test": int(samples.in_part(TEST).sum()),
        "n_train_groups": len(np.unique(samples.groups[samples.in_part(TRAIN)])),
        "n_test_groups": len(np.unique(samples.groups[samples.in_part(TEST)])),
        "seed": options.seed,
        "class_weight": options.class_weight,
        "reweigh": options.reweigh,
        "interval": f"95 %, bootstrap over groups, {options.n_resamples} draws",
    }


def data_hash(samples: Samples, columns: list[str]) -> str:
    """sha256 over keys, contents and labels of the train part: equal exactly when the same data were learned from."""
    rows = samples.in_part(TRAIN)
    frame = samples.labels.loc[rows, columns].reset_index(drop=True)
    frame.insert(0, "sha256", samples.table.sha256[rows])
    frame.insert(0, "key", samples.table.keys[rows])
    return hashlib.sha256(frame.to_csv(index=False, lineterminator="\n").encode()).hexdigest()
