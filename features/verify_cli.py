"""The command ``verify.py`` (``faceheads-verify``): same person or not, at an error rate that the user chose."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

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
from faceheads.labels import read_labels
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.report.extra import require
from faceheads.table_io import read_table
from faceheads.verification.asked_check import asked_head, bona_fide_table, rows_with_scores
from faceheads.verification.asked_pairs import FOLDER, listed_pairs
from faceheads.verification.bona_fide_head import BonaFideHead
from faceheads.verification.cli import verify_table
from faceheads.verification.options import add_table_options
from faceheads.verification.scores.registry import PLAIN
from faceheads.verification.threshold_file import load_threshold

from .embed import EmbedderRequest
from .explain.methods import METHODS
from .extract import Extraction
from .folders import list_images
from .options import DETECTORS, add_machine_options, devices
from .pipeline_config import FACE_POLICIES, PipelineConfig
from .threshold_pipelines import config_of, configs_of_head
from .thumbnails import cut_faces
from .verify_photos import verify_photos


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
    _add_explanation_options(parser)
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


def _add_explanation_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("two photos")
    group.add_argument(
        "--explain",
        type=Path,
        metavar="DIR",
        help="write a picture and arrays of what makes the two faces similar, in both photos",
    )
    group.add_argument(
        "--explain_by",
        choices=METHODS,
        default=METHODS[0],
        help="gradients need a network that runs in torch (default: %(default)s)",
    )


def verify_main(argv: Sequence[str] | None = None) -> int:
    """Run ``verify.py``; returns its exit code (0 done or match, 1 non-match or unsure of two photos, 2 wrong use)."""
    args = verification_parser().parse_args(argv)
    return run_command("verify.py", lambda: _verify(args))


def _verify(args: argparse.Namespace) -> int:
    if args.photos:
        return verify_photos(args)
    _check_comparisons(args)
    if args.clean is not None:
        return _clean(args)
    if args.submission is not None:
        return _submit(args)
    if args.data_dir is not None:
        _extract(args)
    return verify_table(args) if args.gallery is None else identify_table(args)


def _check_comparisons(args: argparse.Namespace) -> None:
    """Refuse options where something else is done."""
    if args.explain is not None:
        raise ValueError(
            "--explain is about two photos: python verify.py A.jpg B.jpg --threshold T.json --explain DIR."
        )
    others = [name for name in ("gallery", "clean", "submission") if getattr(args, name) is not None]
    asked = [name for name in ("fuse", "cohort", "bona_fide", "fake_fmr") if getattr(args, name)]
    asked += ["score"] * (args.score != PLAIN)
    if others and asked:
        raise ValueError(f"--{asked[0]} is about comparisons of pairs; leave it away with --{others[0]}.")


def _submit(args: argparse.Namespace) -> int:
    if args.data_dir is None or args.feature is None:
        raise ValueError("--submission needs --data_dir, the folder of the challenge, and --feature, a table to keep.")
    dataset, images = open_challenge(args.data_dir)
    file = None if args.threshold is None else load_threshold(args.threshold)
    head = asked_head(args, file)
    _extract_missing(args, head, images, dataset.images)
    rows = rows_with_scores(args, read_table(args.feature), head)
    spec = rows.table.spec
    metric = spec.embedder.metric if args.metric == "auto" and spec is not None else args.metric
    n_lines = write_submission(
        args.submission, dataset, rows.table, "cosine" if metric == "auto" else metric, file, rows.bona_fide
    )
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


# ------------------------------------------------------------------------------------------------- a folder


def _extract(args: argparse.Namespace) -> None:
    """Extract the photos that the pairs or labels name into the feature table, and that of the bona fide head."""
    if args.feature is None:
        raise ValueError("--data_dir extracts into a feature table: name it with --feature NAME.parquet.")
    if args.fuse:
        raise ValueError("--data_dir extracts one table; extract each with feature_extraction.py before --fuse.")
    head = asked_head(args, None if args.threshold is None else load_threshold(args.threshold))
    images = _images(args)
    set_passive_wait()
    for path, config in _tables(args, head).items():
        Extraction(args.data_dir, images, config(), path, resolve_jobs(args.jobs)).run()


def _extract_missing(args: argparse.Namespace, head: BonaFideHead | None, images: list[str], known: list[str]) -> None:
    """Extract images into tables that lack some; what else they have of the data set stays."""
    for path, config in _tables(args, head).items():
        there = set(read_table(path).path) if path.exists() else set()
        if not there.issuperset(images):
            set_passive_wait()
            wanted = sorted({*images, *there.intersection(known)})
            Extraction(args.data_dir, wanted, config(), path, resolve_jobs(args.jobs)).run()


def _tables(args: argparse.Namespace, head: BonaFideHead | None) -> dict[Path, Callable[[], PipelineConfig]]:
    """The tables that are needed, and what makes the pipeline of each."""
    tables = {args.feature: partial(_config, args)}
    if head is not None and bona_fide_table(args) != args.feature:
        tables[bona_fide_table(args)] = partial(_config_of_head, args, head)
    return tables


def _config_of_head(args: argparse.Namespace, head: BonaFideHead) -> PipelineConfig:
    configs = configs_of_head(head, args)
    if len(configs) > 1:
        raise ValueError(
            "the bona fide head takes several tables; --data_dir extracts one. Use feature_extraction.py."
        )
    return configs[0]


def _config(args: argparse.Namespace) -> PipelineConfig:
    if args.threshold is not None:
        return config_of(load_threshold(args.threshold).spec, args)
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
