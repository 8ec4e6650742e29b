"""The table of heads on UTKFace: every kind for gender, race and age, with intervals and seconds.

The split is that of ``benchmarks.utkface_heads``: a file is tested when the sha256 of its bytes is 0 mod 5, identical files with
different labels are in neither part, images in which no face was found count. Settings are the defaults of
``faceheads.head_settings``, chosen by cross-validation on the train part; nothing is chosen here.

    python -m benchmarks.head_table [--data ../shared/data] [--feature utkface.parquet] [--jobs 2]

Without ``--feature`` the photos are extracted first (the default heads' settings: ``--layers attributes --flip --no_face whole``).
Two heads are trained at a time, each on one thread; seconds are those of one head, from training to its figures.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import joblib
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from faceheads.fitted_head import Head
from faceheads.heads import KINDS, head_kind
from faceheads.labels import default_label_path, read_labels
from faceheads.metrics import Estimate
from faceheads.table import FaceTable
from faceheads.table_io import read_table
from faceheads.targets import CLASSIFICATION, REGRESSION
from faceheads.training import train_heads
from faceheads.training_options import TrainingOptions
from features.cli import extract_main

from .arguments import benchmark_parser
from .report import machine_line, markdown_table

TASKS = {"gender": CLASSIFICATION, "race": CLASSIFICATION, "age": REGRESSION}
#: What the issue asks for, and its goals.
BARS = {"gender": "≥ 94.7 % (95.0)", "race": "", "age": "≤ 5.1 years (4.9)"}
HEADER = (
    "target",
    "head",
    "test part [95 % interval]",
    "bar (goal)",
    "majority, median",
    "balanced accuracy, RMSE",
    "s",
)


def main() -> None:
    """Extract if need be, train every kind for every target, print the table."""
    args = _arguments()
    print(f"{machine_line()}\n")
    start = time.perf_counter()
    with _feature_table(args) as path:
        table, labels = read_table(path), read_labels(default_label_path(path))
    extracted = time.perf_counter()
    wanted = [(name, kind) for name, task in TASKS.items() for kind in KINDS if head_kind(kind, task) == kind]
    rows = joblib.Parallel(n_jobs=args.jobs)(joblib.delayed(_row)(table, labels, *pair) for pair in wanted)
    print(markdown_table(HEADER, rows))
    minutes = [(b - a) / 60 for a, b in ((start, extracted), (extracted, time.perf_counter()))]
    words = "read" if args.feature is not None else "extracted"
    print(
        f"\nfeatures {words} in {minutes[0]:.1f} minutes; {len(rows)} heads in {minutes[1]:.1f}, {args.jobs} at a time"
    )


def _arguments() -> Namespace:
    parser: ArgumentParser = benchmark_parser(__doc__)
    parser.add_argument("--feature", type=Path, help="feature table of UTKFace (default: made anew)")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


@contextmanager
def _feature_table(args: Namespace) -> Iterator[Path]:
    if args.feature is not None:
        yield args.feature
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "utkface.parquet"
        where = ["--data_dir", str(args.data / "utkface"), "--save_feature", str(path)]
        if extract_main([*where, "--layers", "attributes", "--flip", "--no_face", "whole"]) != 0:
            raise SystemExit("The photos could not be extracted.")
        yield path


def _row(table: FaceTable, labels: pd.DataFrame, name: str, kind: str) -> list[str]:
    warnings.simplefilter("ignore", ConvergenceWarning)
    start = time.perf_counter()
    options = TrainingOptions((name,), head=kind, split="content", groups="content")
    head: Head = train_heads(table, labels, options).file.heads[0]
    seconds = time.perf_counter() - start
    report, is_number = head.report, TASKS[name] == REGRESSION
    first, second = ("mae", "rmse") if is_number else ("accuracy", "balanced_accuracy")
    estimates = (report.metrics[first], report.baseline[first], report.metrics[second])
    reached, baseline, more = (_shown(estimate, is_number) for estimate in estimates)
    return [name, kind, reached, BARS[name], baseline, more, f"{seconds:.0f}"]


def _shown(estimate: Estimate, is_number: bool) -> str:
    scale, digits, unit = (1, 2, "") if is_number else (100, 1, " %")
    value, low, high = (f"{scale * number:.{digits}f}" for number in (estimate.value, estimate.low, estimate.high))
    return f"{value}{unit} [{low}, {high}]"


if __name__ == "__main__":
    main()
