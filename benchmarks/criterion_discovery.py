"""Does discovery find the rule behind a criterion from attributes that heads predict?

Twenty criteria on UTKFace, written down before anything was measured: single attributes, AND and XOR of two annotated
attributes, 10 % of the labels flipped at random. The attributes are *predicted* for the test part of the shared split
(sha256 mod 5) by heads that learned gender, race and age from the rest. A rule counts as found when the first finding and
the true rule agree on the annotations of every test image.

    python -m benchmarks.criterion_discovery --feature utkface.parquet [--label utkface.label.csv] [--head mlp]

Rules of ages are cut at whole decades; the truth is made from the annotated age.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.discovery.attributes import Attributes, from_labels, from_predictions
from faceheads.discovery.ranking import Finding, discover
from faceheads.labels import default_label_path, read_labels
from faceheads.splits import TEST
from faceheads.table_io import read_table
from faceheads.training import TrainingOptions, train_heads

from .report import machine_line, markdown_table

TARGETS = ("gender", "race", "age")
FLIPPED = 0.1
N_FINDINGS = 5
BAR = 17


def _is(race: str) -> str:
    return f"race = {race}"


_MALE = "gender = male"
_AND, _XOR = np.logical_and, np.logical_xor
#: Operation and the attributes it takes.
CRITERIA = (
    (None, _MALE),
    (None, _is("Asian")),
    (None, _is("White")),
    (None, "age >= 30"),
    (_AND, _MALE, _is("White")),
    (_AND, _MALE, _is("Black")),
    (_AND, _MALE, "age >= 50"),
    (_AND, _MALE, "age >= 20"),
    (_AND, _is("White"), "age >= 40"),
    (_AND, _is("Black"), "age >= 30"),
    (_AND, _is("Indian"), "age >= 20"),
    (_AND, _is("Asian"), _MALE),
    (_XOR, _MALE, _is("White")),
    (_XOR, _MALE, _is("Indian")),
    (_XOR, _MALE, "age >= 40"),
    (_XOR, _MALE, "age >= 60"),
    (_XOR, _is("White"), "age >= 30"),
    (_XOR, _is("Asian"), "age >= 50"),
    (_XOR, _is("Black"), "age >= 60"),
    (_XOR, _is("Others"), _MALE),
)


def main() -> None:
    """Print what was found for each criterion, and how many are right."""
    args = _arguments()
    print(f"{machine_line()}\n")
    known, predicted, groups = _attributes(args)
    rng = np.random.default_rng(args.seed)
    rows, n_right, start = [], 0, time.perf_counter()
    for operation, *names in CRITERIA:
        truth = _truth(known, operation, names)
        labels = truth ^ (rng.random(len(truth)) < FLIPPED)
        result = discover(predicted, labels, groups, N_FINDINGS, args.seed)
        is_right = _is_equal(result.findings[0], predicted.names, known, truth)
        n_right += is_right
        rows.append(_row(operation, names, truth, result.findings, is_right))
    print(f"{len(groups)} test images, {len(predicted.names)} predicted attributes, {result.n_rules} rules\n")
    print(markdown_table(["criterion", "share", "first", "correlation", "in draws", "second", "its", "right"], rows))
    print(f"\nfirst and right: {n_right} of {len(CRITERIA)} (bar {BAR}); {time.perf_counter() - start:.0f} s")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feature", type=Path, required=True, help="feature table of UTKFace")
    parser.add_argument("--label", type=Path, help="label table (default: NAME.label.csv)")
    parser.add_argument("--head", default="mlp", help="kind of the heads (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of heads, flips and intervals")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def _attributes(args: argparse.Namespace) -> tuple[Attributes, Attributes, np.ndarray]:
    """Annotated and predicted attributes of the test images that have an embedding, and the images' groups."""
    labels = read_labels(default_label_path(args.feature) if args.label is None else args.label)
    options = TrainingOptions(
        TARGETS, head=args.head, split="content", seed=args.seed, jobs=args.jobs, allow_unlabelled=True
    )
    trained = train_heads(read_table(args.feature), labels, options)
    samples = trained.samples
    is_test = samples.in_part(TEST) & samples.table.has_embedding
    is_test &= samples.labels[list(TARGETS)].notna().all(axis=1).to_numpy()
    table = samples.table[is_test]
    predicted = from_predictions(trained.file.predict(table.embedding, table.spec))
    return from_labels(samples.labels[is_test], TARGETS), predicted, samples.groups[is_test]


def _truth(known: Attributes, operation: np.ufunc | None, names: list[str]) -> np.ndarray:
    frame = pd.DataFrame(known.degrees == 1, columns=list(known.names))
    first = frame[names[0]].to_numpy()
    return first if operation is None else operation(first, frame[names[1]].to_numpy())


def _is_equal(finding: Finding, names: tuple[str, ...], known: Attributes, truth: np.ndarray) -> bool:
    """Whether the rule, applied to the annotations, is the true rule or its opposite on every image."""
    columns = [known.names.index(name) if name in known.names else -1 for name in names]
    degrees = np.column_stack([known.degrees, np.zeros(len(truth))])[:, columns]  # of an attribute nobody has: 0
    agrees = (finding.rule.degrees(degrees) == 1) == truth
    return bool(agrees.all() or not agrees.any())


def _row(
    operation: np.ufunc | None, names: list[str], truth: np.ndarray, findings: tuple[Finding, ...], is_right: bool
) -> list[object]:
    first, second = findings[:2]
    words = {None: " ", _AND: " AND ", _XOR: " XOR "}[operation].join(names)
    r = first.correlation
    return [
        words,
        f"{truth.mean():.2f}",
        first.words,
        f"{r.value:.3f} [{r.low:.3f}, {r.high:.3f}]",
        f"{first.first:.0%}",
        second.words,
        f"{second.correlation.value:.3f}",
        "yes" if is_right else "NO",
    ]


if __name__ == "__main__":
    main()
