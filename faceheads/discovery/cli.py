"""The command ``python -m faceheads.discovery``: which known attributes explain a criterion that nobody explained."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..atomic import write_text
from ..command import run_command
from ..labels import RESERVED_COLUMNS, LabelError, default_label_path, read_labels
from ..metrics.intervals import Estimate
from ..samples import Samples, drop_conflicts, group_samples, join_labels, take_rows
from ..store import load_heads
from ..table_io import read_table
from ..targets import CLASSIFICATION, find_targets
from .attributes import Attributes, from_labels, from_predictions
from .examples import faces_to_look_at
from .ranking import Discovery, discover

#: Files of ``--save_dir``.
FINDINGS_FILE, FACES_FILE = "findings.csv", "faces.csv"
#: Rules shown of those that hardly differ from a finding.
_N_SAME = 2


def discovery_parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m faceheads.discovery",
        description="Rank simple rules of one or two known attributes (and, or, xor) by how well they explain a criterion.",
    )
    parser.add_argument("--feature", default="feature.parquet", help="feature table (default: %(default)s)")
    parser.add_argument("--label", help="label table (default: NAME.label.csv beside the feature table)")
    parser.add_argument(
        "--criterion", required=True, metavar="COLUMN", help="label column of two values to be explained"
    )
    parser.add_argument(
        "--attributes",
        metavar="A,B,…",
        help="label columns that may explain it (default: none with --model, else all)",
    )
    parser.add_argument("--model", metavar="HEADS", help="file of heads: what they predict may explain it")
    parser.add_argument(
        "--trust", action="store_true", help="load heads from a pickle, which runs code of whoever wrote it"
    )
    parser.add_argument("--n_findings", type=int, default=10, help="rules shown (default: %(default)s)")
    parser.add_argument(
        "--save_dir", metavar="DIR", help=f"write {FINDINGS_FILE} and {FACES_FILE}: the faces to look at"
    )
    parser.add_argument("--seed", type=int, default=0, help="of intervals and folds (default: %(default)s)")
    return parser


def discovery_main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code, 2 with one line on stderr for what the user can repair."""
    args = discovery_parser().parse_args(argv)
    return run_command("discovery", lambda: _discover(args))


def _discover(args: argparse.Namespace) -> int:
    samples = _samples(args)
    attributes = _attributes(args, samples)
    is_known = attributes.is_complete
    if not is_known.all():
        samples = take_rows(samples, is_known, f"{(~is_known).sum()} faces with an unknown attribute are left out")
        attributes = Attributes(attributes.names, attributes.degrees[is_known])
    (target,), _ = find_targets(samples.labels, [args.criterion], CLASSIFICATION)
    if len(target.classes) != 2:
        raise LabelError(f"--criterion must have two values; {args.criterion!r} has {list(target.classes)}.")
    truth = target.encode(samples.labels) == 1
    result = discover(attributes, truth, samples.groups, args.n_findings, args.seed)
    print(_text(result, f"{args.criterion} = {target.classes[1]}", samples.remarks))
    if args.save_dir is not None:
        _save(Path(args.save_dir), result, samples, truth, args.seed)
    return 0


def _samples(args: argparse.Namespace) -> Samples:
    """Faces with an embedding and a value of the criterion, with their persons."""
    labels = read_labels(default_label_path(args.feature) if args.label is None else args.label)
    if args.criterion not in labels.columns:
        raise LabelError(
            f"--criterion must be a label column; got {args.criterion!r}. Columns: {list(labels.columns)}."
        )
    samples = join_labels(read_table(args.feature), labels, allow_unlabelled=True)
    samples = group_samples(drop_conflicts(samples, [args.criterion]))
    is_usable = samples.table.has_embedding & samples.labels[args.criterion].notna().to_numpy()
    if is_usable.all():
        return samples
    return take_rows(
        samples, is_usable, f"{(~is_usable).sum()} images without a face or a value of the criterion are left out"
    )


def _attributes(args: argparse.Namespace, samples: Samples) -> Attributes:
    parts = []
    if args.attributes is not None or args.model is None:
        parts.append(from_labels(samples.labels, _columns(args, samples.labels)))
    if args.model is not None:
        file = load_heads(args.model, args.trust)
        parts.append(from_predictions(file.predict(samples.table.embedding, samples.table.spec)))
    names = tuple(name for part in parts for name in part.names)
    return Attributes(names, np.concatenate([part.degrees for part in parts], axis=1))


def _columns(args: argparse.Namespace, labels: pd.DataFrame) -> list[str]:
    if args.attributes is not None:
        return [name for name in args.attributes.split(",") if name]
    columns = [name for name in labels.columns if name not in (*RESERVED_COLUMNS, args.criterion)]
    if not columns:
        raise LabelError(
            f"The label table has no column but {args.criterion!r} that could explain it. Give a file of heads that "
            "predict attributes (--model)."
        )
    return columns


# ------------------------------------------------------------------------------------------------------ output


def _text(result: Discovery, criterion: str, remarks: Sequence[str]) -> str:
    head = (
        f"{criterion}: {result.prevalence:.1%} of {result.n_faces:,} faces. {result.n_rules:,} rules were compared; with "
        f"shuffled values the best of them has a correlation of {result.by_chance:.3f}."
    )
    lines = [head, *(f"note: {remark}" for remark in remarks), ""]
    lines.append(f"{'correlation [95 %]':<23}{'agrees % [95 %]':<22}{'first in':<10}rule")
    for finding in result.findings:
        correlation = _interval_text(finding.correlation, 1, 3)
        agreement = _interval_text(finding.agreement, 100, 1)
        lines.append(f"{correlation:<23}{agreement:<22}{finding.first:<10.0%}{finding.words}")
        lines += [f"{'':<55}  hardly differs: {words}" for words in finding.same[:_N_SAME]]
    lines += [
        "",
        "first in: share of the bootstrap's draws of persons in which the rule came first among those listed",
    ]
    return "\n".join(lines)


def _interval_text(estimate: Estimate, factor: float, digits: int) -> str:
    value, low, high = (f"{factor * x:.{digits}f}" for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def _save(folder: Path, result: Discovery, samples: Samples, truth: np.ndarray, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / FINDINGS_FILE, _findings_frame(result).to_csv(index=False))
    table = samples.table
    faces = faces_to_look_at(table.embedding, truth, samples.groups, result.findings[0], seed=seed)
    rows = faces.pop("row").to_numpy()
    faces.insert(0, "path", table.path[rows])
    faces.insert(1, "face", table.face_index[rows])
    write_text(folder / FACES_FILE, faces.to_csv(index=False, float_format="%.4f"))
    print(f"written: {folder / FINDINGS_FILE}, {folder / FACES_FILE}")


def _findings_frame(result: Discovery) -> pd.DataFrame:
    rows = []
    for rank, finding in enumerate(result.findings, start=1):
        row = {"rank": rank, "rule": finding.words, "first": finding.first, "same": "; ".join(finding.same)}
        for name in ("correlation", "agreement"):
            estimate = getattr(finding, name)
            row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        rows.append(row)
    return pd.DataFrame(rows)
