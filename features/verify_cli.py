"""The command ``verify.py`` (``faceheads-verify``): same person or not, at an error rate that the user chose."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from faceheads.command import run_command
from faceheads.identification.cleaning_cli import (
    add_cleaning_options,
    clean_table,
    in_words,
    rows_to_show,
    write_review,
)
from faceheads.identification.cli import add_identification_options, identify_table
from faceheads.identification.submission import open_challenge, write_submission
from faceheads.joining import parts_of_spec
from faceheads.labels import read_labels
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.report.extra import require
from faceheads.spec import TableSpec
from faceheads.table import FaceRow, FaceTable
from faceheads.table_io import read_table
from faceheads.verification.cli import FOLDER, add_table_options, listed_pairs, verify_table
from faceheads.verification.fusion import fused_table
from faceheads.verification.scores.registry import PLAIN
from faceheads.verification.threshold_file import Decision, ThresholdFile, load_threshold

from .embed import EmbedderRequest
from .extract import Extraction
from .folders import list_images
from .options import DETECTORS, add_machine_options, devices
from .pipeline import FacePipeline
from .pipeline_config import FACE_POLICIES, PipelineConfig
from .thumbnails import cut_faces


def verification_parser() -> argparse.ArgumentParser:
    """The parser of ``verify.py``."""
    parser = argparse.ArgumentParser(
        prog="verify.py",
        usage="%(prog)s A.jpg B.jpg --threshold T.json\n"
        "       %(prog)s --feature F (--pairs PAIRS | --identity LABELS) [--save_threshold T.json] [--report DIR] …\n"
        "       %(prog)s --feature F --identity LABELS (--gallery WHO | --clean OUT.csv) …",
        description="Say whether two photos show one person, or measure on pairs how often that is wrong and find a "
        "threshold. Match means: similarity of at least the threshold.",
    )
    parser.add_argument(
        "photos", nargs="*", type=Path, metavar="PHOTO", help="two photos to compare, with --threshold"
    )
    add_table_options(parser)
    add_identification_options(parser)
    add_cleaning_options(parser)
    parser.add_argument(
        "--submission",
        type=Path,
        metavar="OUT.csv",
        help="write what the challenge takes whose folder --data_dir is: Kryptonite (the similarity of each test pair) or "
        "FACECOM's Task B (the person on each distorted photo of val); --feature keeps the embeddings",
    )
    _add_photo_options(parser)
    add_machine_options(parser)
    return parser


def _add_photo_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("photos")
    group.add_argument(
        "--data_dir",
        type=Path,
        help="folder of the photos that the pairs or identities name: what --feature lacks is extracted into it",
    )
    group.add_argument(
        "--embedder", metavar="NAME|PATH", help="for --data_dir as in feature_extraction.py (default: dlib)"
    )
    group.add_argument("--flip", action="store_true", help="for --data_dir: average each face with its mirror image")
    group.add_argument("--detector", choices=DETECTORS, help="(default: hog, or that of the threshold)")
    group.add_argument(
        "--faces", choices=FACE_POLICIES, help="of several faces (default: largest, or as the threshold)"
    )


def verify_main(argv: Sequence[str] | None = None) -> int:
    """Run ``verify.py``; returns its exit code (0 done or match, 1 non-match or unsure of two photos, 2 wrong use)."""
    args = verification_parser().parse_args(argv)
    return run_command("verify.py", lambda: _verify(args))


def _verify(args: argparse.Namespace) -> int:
    if args.photos:
        return _verify_photos(args)
    _check_comparisons(args)
    if args.clean is not None:
        return _clean(args)
    if args.submission is not None:
        return _submit(args)
    if args.data_dir is not None:
        _extract(args)
    return verify_table(args) if args.gallery is None else identify_table(args)


def _check_comparisons(args: argparse.Namespace) -> None:
    """Refuse options on comparisons where something else is done."""
    others = [name for name in ("gallery", "clean", "submission") if getattr(args, name) is not None]
    asked = [name for name in ("fuse", "cohort") if getattr(args, name)] + ["score"] * (args.score != PLAIN)
    if others and asked:
        raise ValueError(f"--{asked[0]} is about comparisons of pairs; leave it away with --{others[0]}.")


def _submit(args: argparse.Namespace) -> int:
    if args.data_dir is None or args.feature is None:
        raise ValueError("--submission needs --data_dir, the folder of the challenge, and --feature, a table to keep.")
    dataset, images = open_challenge(args.data_dir)
    there = set(read_table(args.feature).path) if args.feature.exists() else set()
    if not there.issuperset(images):
        set_passive_wait()
        wanted = sorted({*images, *there.intersection(dataset.images)})
        Extraction(dataset.root, wanted, _config(args), args.feature, resolve_jobs(args.jobs)).run()
    table = read_table(args.feature)
    file = None if args.threshold is None else load_threshold(args.threshold)
    metric = table.spec.embedder.metric if args.metric == "auto" and table.spec is not None else args.metric
    n_lines = write_submission(args.submission, dataset, table, "cosine" if metric == "auto" else metric, file)
    print(f"submission: {args.submission} ({n_lines:,} lines, {dataset.name})")
    return 0


def _clean(args: argparse.Namespace) -> int:
    if args.report is not None:
        require("jinja2", instead="leave --report away")  # better now than after the work
    if args.data_dir is not None and args.feature is not None and not args.feature.exists():
        _extract(args)
    table, findings = clean_table(args)
    if args.report is not None:
        rows = [row for both in rows_to_show(findings).values() for some in both for row in some]
        pictures = {} if args.data_dir is None else cut_faces(args.data_dir, table, rows, resolve_jobs(args.jobs))
        write_review(args.report, table, findings, pictures)
    print(in_words(findings, args.json))
    return 0


# ------------------------------------------------------------------------------------------------- two photos


def _verify_photos(args: argparse.Namespace) -> int:
    if len(args.photos) != 2 or args.threshold is None:
        raise ValueError(f"give two photos and --threshold T.json; got {len(args.photos)} photos.")
    set_passive_wait()
    if args.score != PLAIN:
        raise ValueError("--score goes with --save_threshold; two photos are compared by what the threshold says.")
    file = load_threshold(args.threshold)
    faces = fused_table([_faces(FacePipeline(config), args.photos) for config in _configs_of(file, args)])
    file.check_spec(faces.spec)
    for path, has_embedding, why in zip(args.photos, faces.has_embedding, _reasons(faces), strict=True):
        if not has_embedding:
            raise ValueError(f"{path} cannot be compared: {why}. Failure to acquire is no decision.")
    decision = file.decide(float(file.similarities(faces, np.array([0]), np.array([1]))[0]))
    print(json.dumps(decision.to_json()) if args.json else _in_words(decision, file))
    return 0 if decision.answer == "match" else 1


def _configs_of(file: ThresholdFile, args: argparse.Namespace) -> list[PipelineConfig]:
    """The pipelines that the threshold's embeddings came from, one for each table that was fused."""
    parts = parts_of_spec(file.spec)
    if len(parts) > 1 and (args.detector is not None or args.embedder is not None):
        raise ValueError("the threshold is one of several fused tables: leave --detector and --embedder away.")
    return [_config_of(part, args) for part in parts]


def _config_of(spec: TableSpec, args: argparse.Namespace) -> PipelineConfig:
    """The pipeline of a specification, but for what the user changed."""
    changes = {"device": devices(args.device)[0], "no_face": "skip"}
    changes |= {name: getattr(args, name) for name in ("detector", "faces") if getattr(args, name) is not None}
    if args.detector not in (None, spec.detector):
        changes["detector_settings"] = {}
        note = f"note: the threshold's errors were measured on faces found by {spec.detector}"
        print(f"{note}; with other detection they may not hold", file=sys.stderr)
    return PipelineConfig.from_spec(spec, args.embedder, **changes)


def _faces(pipeline: FacePipeline, photos: Sequence[Path]) -> FaceTable:
    """A row for each photo, with its face where one was found."""
    rows = [replace(_row(pipeline, path), path=f"{i}") for i, path in enumerate(photos)]
    n_landmarks = max(len(row.landmarks_xy) if row.status.has_embedding else 0 for row in rows)
    return FaceTable.from_rows(rows, n_landmarks, pipeline.table_spec)


def _row(pipeline: FacePipeline, path: Path) -> FaceRow:
    row = pipeline.rows_of(path.parent, [path.name])[0]
    if row.n_faces > 1:
        kept = pipeline.config.faces
        print(f"note: {path} has {row.n_faces} faces; the {kept} one is compared", file=sys.stderr)
    return row


def _reasons(faces: FaceTable) -> list[str]:
    """Why rows have no vector: the reason, or the status where that says all."""
    return [reason if reason else status for reason, status in zip(faces.reason, faces.status, strict=True)]


def _in_words(decision: Decision, file: ThresholdFile) -> str:
    bound = "less than about " if decision.fmr_is_bound else ""
    evidence = file.tuned_on if file.reported_on is None else file.reported_on
    unsure = f"unsure from {file.unsure_low:.4f} to {file.unsure_high:.4f}"
    pairs = f"{evidence.n_non_mated:,} pairs of {evidence.n_identities:,} people, {evidence.data}"
    lines = [
        decision.answer,
        f"similarity   {decision.similarity:.4f} ({file.score_name}; threshold {file.threshold:.4f}, {unsure})",
        f"probability  {decision.probability:.4f} that it is one person, if half of all pairs were",
        f"FMR          {bound}{decision.fmr:.2g}: share of pairs of two persons at least this alike ({pairs})",
    ]
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------- a folder


def _extract(args: argparse.Namespace) -> None:
    """Extract the photos that the pairs or labels name into the feature table, those that it lacks."""
    if args.feature is None:
        raise ValueError("--data_dir extracts into a feature table: name it with --feature NAME.parquet.")
    if args.fuse:
        raise ValueError("--data_dir extracts one table; extract each with feature_extraction.py before --fuse.")
    set_passive_wait()
    images = _images(args)
    Extraction(args.data_dir, images, _config(args), args.feature, resolve_jobs(args.jobs)).run()


def _config(args: argparse.Namespace) -> PipelineConfig:
    if args.threshold is not None:
        return _config_of(load_threshold(args.threshold).spec, args)
    name = "dlib" if args.embedder is None else args.embedder
    chosen = {key: getattr(args, key) for key in ("detector", "faces") if getattr(args, key) is not None}
    return PipelineConfig(EmbedderRequest(name, flip=args.flip), device=devices(args.device)[0], **chosen)


def _images(args: argparse.Namespace) -> list[str]:
    lists = listed_pairs(args)
    if lists:
        return sorted({path for pairs in lists for side in ("probe", "reference") for path in pairs[side]})
    if args.identity in (None, FOLDER):
        return list_images(args.data_dir)
    return sorted(set(read_labels(args.identity).index))
