"""The command ``train.py`` (``faceheads-train``): a feature table and labels become a file of heads."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import joblib

from .command import run_command
from .datasets.idemia import read_test_list
from .datasets.submissions import write_idemia_submission
from .fairness.optimum import CRITERIA
from .headfile import HeadError, HeadFile
from .heads import KINDS
from .labels import default_label_path, read_labels
from .report.extra import require
from .report.thumbnails import face_thumbnails
from .report.training import ModelCard, Sources, read_card, training_document
from .report.writing import write_document
from .splits import save_split
from .store import PICKLE_SUFFIXES, SUFFIXES, load_heads, save_heads
from .submission import decide_listed
from .summary import summary_json, summary_text
from .table import FaceTable
from .table_io import read_table
from .targets import TASKS
from .training import TrainingOptions, TrainingResult, train_heads
from .tuning import Tuning

REPORT_NAME = "report"


def training_parser() -> argparse.ArgumentParser:
    """The parser of ``train.py``."""
    parser = argparse.ArgumentParser(
        prog="train.py",
        description="Train heads on a feature table and print how well they do on persons and images that they have "
        "not seen, beside what always saying the most frequent class (or the median) would give.",
    )
    parser.add_argument("--feature", default="feature.parquet", help="feature table (default: %(default)s)")
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
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    _add_target_options(parser)
    _add_split_options(parser)
    _add_threshold_options(parser)
    _add_report_options(parser)
    parser.add_argument("--seed", type=int, default=0, help="of split, heads and intervals (default: %(default)s)")
    parser.add_argument("--jobs", type=int, help="heads trained at the same time (default: as many as cores)")
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
        help=f"{', '.join(KINDS)} (default: mlp). svm and svr, logistic and ridge stand for each other",
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
        help="write the decisions for the images that test.txt in --data_dir lists, 1 or -1 a line",
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


def train_main(argv: Sequence[str] | None = None) -> int:
    """Run ``train.py``; returns the exit code, 2 with one line on stderr for what the user can repair."""
    args = training_parser().parse_args(argv)
    return run_command("train.py", lambda: _train(args))


def _train(args: argparse.Namespace) -> int:
    path = _checked_model_path(args.save_model)
    listed = _listed_images(args)
    card = _model_card(args)
    table = read_table(args.feature)
    result = train_heads(table, read_labels(_label_path(args)), _options(args))
    split_path = _save(path, result)
    files = {"model": str(path), "split_file": str(split_path)}
    if args.report is not None:
        files["report"] = str(_write_report(args, result, table, card))
    if args.submission is not None:
        write_idemia_submission(args.submission, decide_listed(result, table, listed), listed)
        files["submission"] = args.submission
    if args.json:
        print(json.dumps({**summary_json(result), **files}, indent=1))
    else:
        print(summary_text(result))
        print(f"\nheads: {path} ({path.stat().st_size / 1e6:.1f} MB)   split: {split_path}")
        if args.submission is not None:
            print(f"submission: {args.submission} ({len(listed):,} lines)")
        if args.report is not None:
            print(f"report: {files['report']}")
    if path.suffix in PICKLE_SUFFIXES:
        print(_pickle_remark(path), file=sys.stderr)
    return 0


def _listed_images(args: argparse.Namespace) -> list[str]:
    """The images that decisions are asked for, read before anything is trained; none without ``--submission``."""
    if args.submission is None:
        return []
    if args.data_dir is None:
        raise ValueError("--submission needs --data_dir, the folder of the challenge with its test.txt.")
    return read_test_list(args.data_dir)


def _model_card(args: argparse.Namespace) -> ModelCard | None:
    """The words of the model card; what a report needs is asked for before anything is trained."""
    if args.report is None:
        if args.card is not None:
            raise ValueError("--card holds words of the report: it needs --report DIR.")
        return None
    if args.data_dir is not None and not args.data_dir.is_dir():
        raise ValueError(f"--data_dir must be the folder of the photos; there is no folder {args.data_dir}.")
    require("matplotlib.figure", "jinja2", instead="leave --report out")
    return ModelCard() if args.card is None else read_card(args.card)


def _write_report(args: argparse.Namespace, result: TrainingResult, table: FaceTable, card: ModelCard) -> Path:
    photos = None if args.data_dir is None else partial(face_thumbnails, folder=args.data_dir)
    sources = Sources(table, Path(args.feature).name, _label_path(args).name, photos, card)
    return write_document(args.report, REPORT_NAME, training_document(result, sources))[0]


def _label_path(args: argparse.Namespace) -> Path:
    return default_label_path(args.feature) if args.label is None else Path(args.label)


def _options(args: argparse.Namespace) -> TrainingOptions:
    task, tasks = _per_target(args.task, None)
    head, heads = _per_target(args.head, "mlp")
    return TrainingOptions(
        targets=tuple(args.target),
        task=task,
        tasks=tasks,
        head=head,
        heads=heads,
        split="random" if args.split == "auto" and args.submission is not None else args.split,
        groups=args.groups,
        test_size=args.test_size,
        cohorts=tuple(args.cohort),
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


def _checked_model_path(name: str) -> Path:
    path = Path(name)
    if path.suffix not in SUFFIXES:
        raise HeadError(f"--save_model must end in {', '.join(SUFFIXES)}; got {name!r}.")
    return path


def _save(path: Path, result: TrainingResult) -> Path:
    samples = result.samples
    split_path = path.with_suffix(".split.csv")
    save_split(split_path, samples.table.keys, samples.table.sha256, samples.groups, samples.parts)
    save_heads(path, result.file)
    _check_readable(path, result.file)
    return split_path


def _check_readable(path: Path, file: HeadFile) -> None:
    """Read the file back at once: a model that cannot be loaded should be noticed today."""
    again = load_heads(path, trust=path.suffix in PICKLE_SUFFIXES)
    if again.targets != file.targets:
        raise HeadError(f"{path} cannot be read back as it was written. Please report this.")


def _pickle_remark(path: Path) -> str:
    return (
        f"{path.name} is a pickle: reading it back takes --trust (load_heads(path, trust=True)), because a pickle runs "
        "code of whoever wrote it, and it fits this version of scikit-learn only. A name ending in .skops avoids both."
    )
