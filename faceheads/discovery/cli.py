"""The command ``python -m faceheads.discovery``: which known attributes explain a criterion that nobody explained."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..command import run_command
from ..labels import LabelError, default_label_path, read_labels
from ..samples import Samples, drop_conflicts, group_samples, join_labels, take_rows
from ..store import load_heads
from ..table_io import read_table
from ..targets import CLASSIFICATION, find_targets, usable_columns
from .attributes import Attributes, from_labels, from_predictions
from .ranking import discover
from .report import FACES_FILE, FINDINGS_FILE, discovery_text, save_discovery


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
    parser.add_argument(
        "--model",
        metavar="HEADS",
        help="file of heads: what they predict may explain it (a head of the criterion is not asked)",
    )
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
    attributes, remarks = _attributes(args, samples)
    is_known = attributes.is_complete
    if not is_known.all():
        samples = take_rows(samples, is_known, f"{(~is_known).sum()} faces with an unknown attribute are left out")
        attributes = attributes.of_faces(is_known)
    (target,), _ = find_targets(samples.labels, [args.criterion], CLASSIFICATION)
    if len(target.classes) != 2:
        raise LabelError(f"--criterion must have two values; {args.criterion!r} has {list(target.classes)}.")
    truth = target.encode(samples.labels) == 1
    result = discover(attributes, truth, samples.groups, args.n_findings, args.seed)
    print(discovery_text(result, f"{args.criterion} = {target.classes[1]}", [*samples.remarks, *remarks]))
    if args.save_dir is not None:
        folder = Path(args.save_dir)
        save_discovery(folder, result, samples, truth, args.seed)
        print(f"written: {folder / FINDINGS_FILE}, {folder / FACES_FILE}")
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


def _attributes(args: argparse.Namespace, samples: Samples) -> tuple[Attributes, list[str]]:
    """What may explain the criterion, and remarks on what may not."""
    if args.attributes is None and args.model is not None:
        return _predicted(args, samples), []
    columns, remarks = _columns(args, samples)
    stated = from_labels(samples.labels, columns)
    return (stated if args.model is None else stated.beside(_predicted(args, samples))), remarks


def _predicted(args: argparse.Namespace, samples: Samples) -> Attributes:
    predictions = load_heads(args.model, args.trust).predict(samples.table.embedding, samples.table.spec)
    return from_predictions(one for one in predictions if one.target != args.criterion)


def _columns(args: argparse.Namespace, samples: Samples) -> tuple[list[str], list[str]]:
    """Label columns that may explain the criterion, and remarks on others."""
    if args.attributes is None:
        return usable_columns(samples.labels.drop(columns=args.criterion))
    columns = [name for name in args.attributes.split(",") if name]
    if not columns or args.criterion in columns:
        raise LabelError(f"--attributes must name columns other than the criterion; got {args.attributes!r}.")
    return columns, []
