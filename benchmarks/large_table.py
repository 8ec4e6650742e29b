"""How long do heads learn from 200,000 rows, and how much memory does it take?

UTKFace's train part is repeated with noise (a quarter of each number's spread) until there are enough rows; the heads are
tested on the real test part. So the figures of error say that nothing was lost on the way to many rows, not what 200,000
people would teach. Each head learns in a process of its own, which says how much memory it took at most, the table included.

    python -m benchmarks.large_table --feature utkface.parquet [--rows 200000] [--heads svm svr distribution logistic]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from faceheads.fitting import fit_head, predict_numbers, predict_probabilities
from faceheads.heads import KINDS, head_kind, make_head
from faceheads.labels import default_label_path, read_labels
from faceheads.samples import Samples, drop_conflicts, group_samples, join_labels, split_samples
from faceheads.splits import TEST, TRAIN
from faceheads.table_io import read_table
from faceheads.targets import CLASSIFICATION, REGRESSION, find_targets

from .report import machine_line, markdown_table

TARGET_OF = {CLASSIFICATION: "gender", REGRESSION: "age"}
NOISE = 0.25
HEADS = ("logistic", "svm", "svr", "distribution")
_KIB = 1024
_GIB = 1024**3


def main() -> None:
    """Train each head on many rows and print the table."""
    args = _arguments()
    print(f"{machine_line()}\n")
    context = multiprocessing.get_context("spawn")
    rows = []
    for kind in args.heads:
        task = REGRESSION if head_kind(kind, REGRESSION) == kind else CLASSIFICATION
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_measure, args=(sender, args.feature, kind, task, args.rows))
        process.start()
        found = receiver.recv()
        process.join()
        rows.append([TARGET_OF[task], kind, *found])
    print(
        markdown_table(["target", "head", "rows", "seconds", "peak memory, GiB", "table, GiB", "real test part"], rows)
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feature", type=Path, required=True, help="feature table of UTKFace")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--heads", nargs="+", choices=KINDS, default=HEADS)
    return parser.parse_args()


def _measure(sender, feature: Path, kind: str, task: str, n_rows: int) -> None:
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y, X_test, y_test = _many_rows(feature, task, n_rows)
    start = time.perf_counter()
    head = make_head(kind, task, len(X), X.shape[1])
    fit_head(head, X, y, np.arange(len(X)))
    seconds = time.perf_counter() - start
    if task == REGRESSION:
        error = f"off by {np.abs(predict_numbers(head, X_test) - y_test).mean():.2f} years"
    else:
        right = (predict_probabilities(head, X_test, task).argmax(axis=1) == y_test).mean()
        error = f"{100 * right:.1f} % right"
    sender.send([f"{len(X):,}", f"{seconds:.0f}", f"{_peak_bytes() / _GIB:.1f}", f"{X.nbytes / _GIB:.2f}", error])


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


def _many_rows(feature: Path, task: str, n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows made of the train part, and the real test part, with their labels."""
    samples = join_labels(read_table(feature), read_labels(default_label_path(feature)))
    (target,), _ = find_targets(samples.labels, [TARGET_OF[task]])
    samples = split_samples(group_samples(drop_conflicts(samples, target.columns), "content"), "content")
    train, test = (_part(samples, target.name, part) for part in (TRAIN, TEST))
    rng = np.random.default_rng(0)
    chosen = train[np.arange(n_rows) % len(train)]
    X = samples.table.embedding[chosen]
    spread = NOISE * samples.table.embedding[train].std(axis=0)
    for block in np.array_split(X, 50):
        block += spread * rng.standard_normal(block.shape, np.float32)
    y, y_test = (target.encode(samples.labels.iloc[rows]) for rows in (chosen, test))
    return X, y, samples.table.embedding[test], y_test


def _part(samples: Samples, name: str, part: str) -> np.ndarray:
    has_label = samples.labels[name].notna().to_numpy()
    return np.flatnonzero(samples.in_part(part) & samples.table.has_embedding & has_label)


if __name__ == "__main__":
    main()
