"""The command ``train.py`` (``faceheads-train``): a feature table and labels become a file of heads."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from .audit.command import problems_beside, write_audit
from .command import run_command
from .headfile import HeadError, HeadFile
from .joining import join_tables
from .labels import default_label_path, read_labels
from .onnx_export import check_exportable, export_onnx
from .report.extra import require
from .report.thumbnails import face_thumbnails
from .report.training import ModelCard, Sources, read_card, training_document
from .report.writing import write_document
from .splits import TEST, save_split
from .store import PICKLE_SUFFIXES, SUFFIXES, load_heads, save_heads
from .submission import Challenge, open_challenge
from .summary import summary_json, summary_text
from .table import FaceTable
from .table_io import read_table
from .training import TrainingResult, train_heads
from .training_parser import feature_paths, training_options, training_parser

REPORT_NAME = "report"


def train_main(argv: Sequence[str] | None = None) -> int:
    """Run ``train.py``; returns the exit code, 2 with one line on stderr for what the user can repair."""
    args = training_parser().parse_args(argv)
    return run_command("train.py", lambda: _train(args) if args.audit is None else _audit(args))


def _audit(args: argparse.Namespace) -> int:
    paths = feature_paths(args)
    table, labels = join_tables([read_table(path) for path in paths]), read_labels(_label_path(args))
    problems = problems_beside(paths[0])
    print(write_audit(args.audit, table, labels, training_options(args), problems, args.data_dir))
    return 0


def _train(args: argparse.Namespace) -> int:
    path = _checked_model_path(args.save_model)
    challenge = _challenge(args)
    card = _model_card(args)
    table = join_tables([read_table(path) for path in feature_paths(args)])
    options = training_options(args)
    if challenge is not None:
        options = replace(options, split=challenge.check_split(args.split))
    if args.export_onnx is not None:
        check_exportable(args.export_onnx, [options.head, *options.heads.values()])
    result = train_heads(table, read_labels(_label_path(args)), options)
    split_path = _save(path, result)
    files = {"model": str(path), "split_file": str(split_path)}
    if args.export_onnx is not None:
        files["onnx"] = [str(file) for file in _export(args.export_onnx, result)]
    if args.report is not None:
        files["report"] = str(_write_report(args, result, table, card))
    if challenge is not None:
        challenge.write(args.submission, result, table)
        files["submission"] = args.submission
    if args.json:
        print(json.dumps({**summary_json(result), **files}, indent=1))
    else:
        print(summary_text(result))
        print(f"\nheads: {path} ({path.stat().st_size / 1e6:.1f} MB)   split: {split_path}")
        if challenge is not None:
            print(f"submission: {args.submission} ({len(challenge.listed):,} lines)")
        if args.report is not None:
            print(f"report: {files['report']}")
        if args.export_onnx is not None:
            print(f"ONNX: {', '.join(files['onnx'])}")
    if path.suffix in PICKLE_SUFFIXES:
        print(_pickle_remark(path), file=sys.stderr)
    return 0


def _challenge(args: argparse.Namespace) -> Challenge | None:
    """The challenge that decisions are asked for, read before anything is trained; none without ``--submission``."""
    if args.submission is None:
        return None
    if args.data_dir is None:
        raise ValueError("--submission needs --data_dir, the folder of the challenge with its test.txt.")
    return open_challenge(args.data_dir)


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
    sources = Sources(
        table, " + ".join(path.name for path in feature_paths(args)), _label_path(args).name, photos, card
    )
    return write_document(args.report, REPORT_NAME, training_document(result, sources))[0]


def _export(path: Path, result: TrainingResult) -> list[Path]:
    samples = result.samples
    return export_onnx(path, result.file, samples.table.embedding[samples.in_part(TEST) & samples.table.has_embedding])


def _label_path(args: argparse.Namespace) -> Path:
    return default_label_path(feature_paths(args)[0]) if args.label is None else Path(args.label)


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
