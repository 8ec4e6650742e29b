"""The options of ``train.py``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import joblib

from .fairness.criterion import CRITERIA
from .heads import KINDS
from .row_weights import BALANCED
from .targets import TASKS
from .training_options import TrainingOptions
from .tuning import Tuning

DEFAULT_FEATURE = "feature.parquet"


def training_parser() -> argparse.ArgumentParser:
    """The parser of ``train.py``."""
    parser = argparse.ArgumentParser(
        prog="train.py",
        description="Train heads on a feature table and print how well they do on persons and images that they have "
        "not seen, beside what always saying the most frequent class (or the median) would give.",
    )
    parser.add_argument(
        "--feature",
        action="append",
        metavar="TABLE",
        help=f"feature table (default: {DEFAULT_FEATURE}); given several times, tables of the same photos by different "
        "embedders, whose vectors are joined",
    )
    parser.add_argument(
        "--label", help="label table, CSV or Parquet (default: NAME.label.csv beside the feature table)"
    )
    parser.add_argument(
        "--save_model",
        default="face_model.skops",
        help="file of heads, .skops, .pkl or .joblib (default: %(default)s)",
    )
    parser.add_argument(
        "--cohort",
        action="append",
        default=[],
        metavar="COLUMN",
        help="also print the figures of each cohort: by a label column, face_size, turn, brightness, "
        "sharpness or detection; may be repeated, then also for each two columns together",
    )
    parser.add_argument(
        "--export_onnx",
        type=Path,
        metavar="FILE",
        help="also write the heads as ONNX, checked against the heads: FILE.onnx, or NAME.TARGET.onnx of several",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    _add_target_options(parser)
    _add_split_options(parser)
    _add_threshold_options(parser)
    _add_report_options(parser)
    parser.add_argument(
        "--audit",
        type=Path,
        metavar="DIR",
        help="train nothing: write a report on the data that would be trained on, with the same options: balance, lost "
        "faces, copies and near-duplicates across the split, contradicting labels, likely label errors; --data_dir adds "
        "pictures",
    )
    parser.add_argument("--seed", type=int, default=0, help="of split, heads and intervals (default: %(default)s)")
    parser.add_argument(
        "--jobs", type=int, help="heads, or fits of --tune, at the same time (default: as many as cores)"
    )
    return parser


def _add_target_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is learned")
    group.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="COLUMN",
        help="label column; may be repeated (default: every column that can be predicted)",
    )
    group.add_argument(
        "--task",
        action="append",
        default=[],
        metavar="[COLUMN=]TASK",
        help=f"{', '.join(TASKS)} (default: recognised from the values and printed)",
    )
    group.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="[COLUMN=]KIND",
        help=f"{', '.join(KINDS)} (default: mlp). svm and svr, linear_svm and linear_svr, logistic and ridge stand for "
        "each other; distribution is for numbers such as ages",
    )
    group.add_argument(
        "--tune",
        action="store_true",
        help="search for the settings of each head by cross-validation of the training part, and print what such a search "
        "may be expected to give, by nested cross-validation; takes many times as long",
    )
    group.add_argument(
        "--class_weight",
        choices=[BALANCED],
        help="let the classes of a decision count equally in training, however frequent they are",
    )
    group.add_argument(
        "--reweigh",
        metavar="COHORT",
        help="weigh training rows so that each class is as frequent in every cohort of a column (as for --cohort)",
    )


def _add_split_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is kept for the test")
    group.add_argument(
        "--split",
        default="auto",
        metavar="HOW",
        help="random, content (sha256 mod 5), given (the label column split), or a split file "
        "(default: given where there is such a column, else random; with --submission random: a given test part has no labels)",
    )
    group.add_argument("--test_size", type=float, default=0.2, help="share of a random split (default: %(default)s)")
    group.add_argument(
        "--groups",
        default="auto",
        metavar="HOW",
        help="who stays on one side: a label column of persons, folder (the first of the path), or content "
        "(default: the column identity where there is one)",
    )
    group.add_argument(
        "--allow_unlabelled", action="store_true", help="leave out rows without a label instead of stopping"
    )


def _add_threshold_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("decisions between two classes")
    group.add_argument(
        "--tune_threshold",
        choices=CRITERIA,
        metavar="CRITERION",
        help=f"tune thresholds on out-of-fold predictions of the training part for one of {', '.join(CRITERIA)}; the last "
        "two compare the cohorts of the first --cohort (default: one half)",
    )
    group.add_argument(
        "--per_cohort",
        action="store_true",
        help="a threshold for each class of the first --cohort, which must be a --target too: it is predicted for new faces",
    )
    group.add_argument(
        "--min_precision", type=float, default=0.9, help="of recall_at_precision (default: %(default)s)"
    )
    group.add_argument(
        "--submission",
        metavar="FILE",
        help="write what the challenge takes whose folder --data_dir is: Idemia (1 or -1 for each image of test.txt) or "
        "FACECOM's Task A (path,true,pred of val)",
    )


def _add_report_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("report")
    group.add_argument(
        "--report",
        type=Path,
        metavar="DIR",
        help="write a report for people: HTML in one file, and Markdown with pictures",
    )
    group.add_argument(
        "--data_dir",
        type=Path,
        metavar="DIR",
        help="folder of photos that the table was extracted from: for the report's examples, and for --submission",
    )
    group.add_argument(
        "--card",
        type=Path,
        metavar="FILE",
        help="JSON with texts for the report's model card: data, terms, intended_use, excluded_use, contact",
    )


def feature_paths(args: argparse.Namespace) -> list[Path]:
    """The feature tables, at least one."""
    names = [DEFAULT_FEATURE] if args.feature is None else args.feature
    return [Path(name) for name in names]


def training_options(args: argparse.Namespace) -> TrainingOptions:
    """What the arguments of ``train.py`` ask for.

    Raises
    ------
    ValueError
        If they contradict each other.
    """
    task, tasks = _per_target(args.task, None)
    head, heads = _per_target(args.head, "mlp")
    return TrainingOptions(
        targets=tuple(args.target),
        task=task,
        tasks=tasks,
        head=head,
        heads=heads,
        split=args.split,
        groups=args.groups,
        test_size=args.test_size,
        cohorts=tuple(args.cohort),
        search=args.tune,
        class_weight=args.class_weight,
        reweigh=args.reweigh,
        tuning=_tuning(args),
        seed=args.seed,
        jobs=joblib.cpu_count() if args.jobs is None else args.jobs,
        allow_unlabelled=args.allow_unlabelled,
    )


def _tuning(args: argparse.Namespace) -> Tuning | None:
    if args.tune_threshold is None and args.per_cohort:
        raise ValueError("--per_cohort needs --tune_threshold: what should the thresholds be best for?")
    return None if args.tune_threshold is None else Tuning(args.tune_threshold, args.min_precision, args.per_cohort)


def _per_target(values: Sequence[str], default: str | None) -> tuple[str | None, dict[str, str]]:
    """The general value and the ones for single columns, of options such as ``svm`` and ``age=svr``."""
    general, special = default, {}
    for value in values:
        column, mark, choice = value.rpartition("=")
        if mark:
            special[column] = choice
        else:
            general = value
    return general, special
