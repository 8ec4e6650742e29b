"""The command ``feature_extraction.py`` (``faceheads-extract``): a folder of photos becomes a feature table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from faceheads.atomic import atomic_path
from faceheads.command import run_command
from faceheads.datasets import ADAPTERS, Dataset, open_dataset
from faceheads.labels import default_label_path, write_labels
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.table_io import read_spec

from .drift import Drift, measure_drift
from .earlier import table_pieces
from .extract import Extraction
from .extraction_summary import ExtractionSummary
from .failures import Allowance
from .options import add_detection_options, add_embedder_options, add_machine_options, devices, pipeline_config
from .patience import announced
from .stage_times import StageTimes

#: Problems of a data set that are printed; the file lists all.
_N_PROBLEMS_SHOWN = 5


def extraction_parser() -> argparse.ArgumentParser:
    """The parser of ``feature_extraction.py``."""
    parser = argparse.ArgumentParser(
        prog="feature_extraction.py",
        description="Find the faces in a folder of photos and write their embeddings as a feature table. "
        "Every image gets a row; running the same command again computes only what is missing.",
    )
    parser.add_argument("--data_dir", required=True, type=Path, help="folder of photos")
    parser.add_argument(
        "--save_feature",
        type=Path,
        default=Path("feature.parquet"),
        help="NAME.parquet, NAME.csv, or a folder of shards (default: %(default)s)",
    )
    parser.add_argument("--save_label", type=Path, help="where the data set's labels go (default: NAME.label.csv)")
    parser.add_argument("--dataset", choices=sorted(ADAPTERS), help="layout of the folder (default: recognised)")
    add_detection_options(parser)
    add_embedder_options(parser)
    add_machine_options(parser)
    _add_run_options(parser)
    return parser


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("run")
    again = group.add_mutually_exclusive_group()
    again.add_argument(
        "--resume", action="store_true", help="reuse what an earlier run computed (this is the default)"
    )
    again.add_argument("--overwrite", action="store_true", help="start again, whatever is there")
    group.add_argument("--retry_failed", action="store_true", help="try unreadable and failed images once more")
    group.add_argument(
        "--max_failures",
        default="10%",
        metavar="N|P%%",
        help="exit code 1 when more images were unreadable or failed (default: %(default)s)",
    )
    group.add_argument("--save_crops", type=Path, metavar="DIR", help="also write the aligned crops as PNG")
    group.add_argument("--json", action="store_true", help="print the summary as JSON")
    group.add_argument("--profile", action="store_true", help="print time and items of each stage")


def extract_main(argv: Sequence[str] | None = None) -> int:
    """Run ``feature_extraction.py``; returns its exit code (0 done, 1 too many failures, 2 wrong use)."""
    args = extraction_parser().parse_args(argv)
    stopped = "stopped; the shards that are finished are kept, run the same command to go on"
    return run_command("feature_extraction.py", lambda: _extract(args), stopped)


def _extract(args: argparse.Namespace) -> int:
    set_passive_wait()
    allowed = Allowance.parse(args.max_failures)
    dataset = open_dataset(args.data_dir, args.dataset)
    if dataset.labels is None and args.save_label is not None:
        raise ValueError(f"--save_label: the data set {dataset.name!r} in {args.data_dir} has no labels.")
    _report_problems(dataset, args.save_feature)
    extraction = Extraction(
        root=dataset.root,
        images=dataset.images,
        config=pipeline_config(args),
        output=args.save_feature,
        jobs=resolve_jobs(args.jobs),
        overwrite=args.overwrite,
        retry_failed=args.retry_failed,
        crop_folder=args.save_crops,
        devices=devices(args.device),
    )
    summary = _with_progress_bar(extraction)
    label_path = _save_labels(dataset, args)
    drift = _measured_drift(extraction, summary)
    if args.json:
        print(json.dumps({**summary.to_json(), **_outputs(args.save_feature, label_path), **_drift_json(drift)}))
    else:
        _print_summary(summary, args, label_path)
        if drift is not None:
            print(f"drift         {drift}")
    return allowed.exit_code(summary.status_counts)


def _with_progress_bar(extraction: Extraction) -> ExtractionSummary:
    with tqdm(total=len(extraction.images), unit="img", desc="extract", file=sys.stderr) as bar:

        def advance(n_images: int, times: StageTimes) -> None:
            stage = times.limiting_stage
            if stage:
                bar.set_postfix_str(f"limit: {stage} {times.share_of(stage):.0%}", refresh=False)
            bar.update(n_images)

        summary = extraction.run(advance, announced)
        bar.update(bar.total - bar.n)
        return summary


def _report_problems(dataset: Dataset, feature_path: Path) -> None:
    if not dataset.problems:
        return
    path = feature_path.with_suffix(".problems.csv")
    with atomic_path(path) as temporary:
        dataset.problem_table.to_csv(temporary, index=False, lineterminator="\n")
    print(f"remarks on the data set: {len(dataset.problems)}, listed in {path}", file=sys.stderr)
    for problem in dataset.problems[:_N_PROBLEMS_SHOWN]:
        print(f"  {problem.path}: {problem.what}", file=sys.stderr)


def _save_labels(dataset: Dataset, args: argparse.Namespace) -> Path | None:
    if dataset.labels is None:
        return None
    path = default_label_path(args.save_feature) if args.save_label is None else args.save_label
    write_labels(path, dataset.labels)
    return path


def _measured_drift(extraction: Extraction, summary: ExtractionSummary) -> Drift | None:
    """How far faces of the table's first piece are from float32; None where float32 is what they are."""
    if extraction.config.embedder.precision == "float32" or summary.n_faces == 0:
        return None
    return measure_drift(extraction.root, next(iter(table_pieces(extraction.output))), extraction.config)


def _drift_json(drift: Drift | None) -> dict:
    return {} if drift is None else {"drift": asdict(drift)}


def _outputs(feature_path: Path, label_path: Path | None) -> dict:
    spec = read_spec(feature_path)
    return {
        "feature": str(feature_path),
        "label": None if label_path is None else str(label_path),
        "embedder_digest": spec.embedder_digest,
        "table_digest": spec.table_digest,
    }


def _print_summary(summary: ExtractionSummary, args: argparse.Namespace, label_path: Path | None) -> None:
    print(f"images        {summary.n_images:>8}")
    print(f"faces         {summary.n_faces:>8}   with an embedding")
    for status, count in summary.status_counts.items():
        print(f"  {status:<14}{count:>6}")
    print(f"computed      {summary.n_computed:>8}   reused {summary.n_reused}")
    if summary.n_unmeasured:
        print(
            f"unmeasured    {summary.n_unmeasured:>8}   faces of an earlier version without brightness and sharpness"
        )
        print("                         (--overwrite computes all faces again and measures them)")
    if summary.n_computed:
        print(f"speed         {summary.images_per_s:>8.1f}   images/s, limited by {summary.times.limiting_stage}")
    if args.profile:
        print("stages, times of all workers added up:")
        for line in summary.times.lines():
            print(f"  {line}")
    spec = read_spec(args.save_feature)
    print(f"table         {args.save_feature} ({spec.embedder.network}, {spec.embedder.dimension} columns)")
    print(f"embedder      {spec.embedder_digest}")
    if label_path is not None:
        print(f"labels        {label_path}")
