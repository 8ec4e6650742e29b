"""How often do age intervals hold the true age, overall and in each decade of it?

UTKFace, a frozen embedding, one regression head; tested on the files whose sha256 is 0 mod 5, fitted and calibrated on the
others (out-of-fold scores). Three kinds of intervals of 90 %: one width for all, a width for each gender, and a
width for each decade of the true age (label-conditional).

    python -m benchmarks.conformal_ages --feature utkface.parquet [--label utkface.label.csv] [--head ridge]

Nothing is chosen here: the decades are those that the report asks for.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from faceheads.calibration.conformal import ConformalRegressor
from faceheads.heads import KINDS, head_kind, make_head
from faceheads.labels import default_label_path, read_labels
from faceheads.metrics import wilson_interval
from faceheads.samples import Samples, drop_conflicts, group_samples, join_labels, split_samples
from faceheads.splits import TEST, TRAIN
from faceheads.table_io import read_table
from faceheads.targets import REGRESSION

from .report import machine_line, markdown_table

COVERAGE = 0.9
DECADES = tuple(range(10, 100, 10))
#: A decade with fewer test images is not asked about.
MIN_TEST = 100


def main() -> None:
    """Fit, calibrate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feature", type=Path, required=True, help="feature table of UTKFace")
    parser.add_argument("--label", type=Path, help="label table (default: NAME.label.csv)")
    parser.add_argument("--head", default="ridge", choices=KINDS)
    args = parser.parse_args()
    label = default_label_path(args.feature) if args.label is None else args.label
    samples = _samples(args.feature, label)
    train, test = (_part(samples, part) for part in (TRAIN, TEST))
    age, gender = (samples.labels[name].to_numpy() for name in ("age", "gender"))
    X, groups = samples.table.embedding, samples.groups
    print(f"{machine_line()}\n\n{len(train)} faces learned from, {len(test)} tested, {args.head}\n")
    head = make_head(head_kind(args.head, REGRESSION), REGRESSION, len(train), X.shape[1])
    rows = []
    for name, edges, cohorts in (("one", (), None), ("per gender", (), gender), ("per decade", DECADES, None)):
        chosen = {} if cohorts is None else {"sensitive_features": cohorts[train]}
        model = ConformalRegressor(head, coverage=COVERAGE, edges=edges)
        model.fit(X[train], age[train], groups=groups[train], **chosen)
        asked = {} if cohorts is None else {"sensitive_features": cohorts[test]}
        rows.append([name, *_cells(model.predict_interval(X[test], **asked), age[test], gender[test])])
    decades = [f"{d}s" for d in _decades(age[test])]
    print(markdown_table(["width", "all % [95 % interval]", "mean width, years", "women %", "men %", *decades], rows))


def _samples(feature: Path, label: Path) -> Samples:
    samples = drop_conflicts(join_labels(read_table(feature), read_labels(label)), ["age"])
    return split_samples(group_samples(samples, "content"), "content")


def _part(samples: Samples, part: str) -> np.ndarray:
    has_age = samples.labels["age"].notna().to_numpy()
    return np.flatnonzero(samples.in_part(part) & samples.table.has_embedding & has_age)


def _decades(age: np.ndarray) -> list[int]:
    decade, counts = np.unique((age // 10 * 10).astype(int), return_counts=True)
    return [int(d) for d, n in zip(decade, counts, strict=True) if n >= MIN_TEST]


def _cells(interval: np.ndarray, age: np.ndarray, gender: np.ndarray) -> list[str]:
    holds = (interval[:, 0] <= age) & (age <= interval[:, 1])
    low, high = wilson_interval(holds.mean(), len(holds))
    subsets = [gender == "female", gender == "male", *((age // 10 * 10) == d for d in _decades(age))]
    shares = [f"{100 * holds[rows].mean():.1f}" for rows in subsets]
    overall = f"{100 * holds.mean():.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    return [overall, f"{np.diff(interval).mean():.1f}", *shares]


if __name__ == "__main__":
    main()
