"""The command ``python -m finetune.distort``: photos as bad weather, light, cameras and compression would have left them.

Every photo is distorted in every kind and severity that is asked for; ``docs/distortions.md`` has the parameters. A photo's
distortions depend on the seed and on its relative path, so they are the same in any order and any number of processes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from tqdm import tqdm

from faceheads.command import run_command
from faceheads.datasets import ADAPTERS, Dataset, open_dataset
from faceheads.images.reading import read_image
from faceheads.pool import resolve_jobs
from faceheads.spec import digest_of
from faceheads.table import FaceTable
from faceheads.table_io import read_table

from .distort_sheet import distortion_sheet
from .distortions import (
    FACECOM_KINDS,
    KINDS,
    REFERENCE_FACE_PX,
    SEVERITIES,
    Subject,
    distort,
    seed_of,
)
from .distortions.kinds import RECIPE_VERSION
from .image_job import LABELS, PROBLEMS, ImageJob, JobSummary
from .picture import Picture

#: Columns of the labels that say what was done; a data set's own columns of these names are left out.
OWN_COLUMNS = ("source", "kind", "severity", "seed")
_N_PROBLEMS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class PlannedDistortion(Picture):
    """One distortion of one photo; the labels have its kind, severity and seed."""

    subject: Subject = field(default_factory=Subject)


@dataclass(frozen=True)
class DistortionMaker:
    """Reads a photo once and distorts it; a :class:`finetune.image_job.Maker`."""

    root: Path

    def open(self, source: str) -> np.ndarray:
        """The photo, RGB uint8 of shape (height, width, 3)."""
        return read_image(self.root / source).rgb

    def make(self, opened: np.ndarray, picture: PlannedDistortion) -> np.ndarray:
        """The photo distorted, in the same shape."""
        labels = picture.labels
        return distort(opened, labels["kind"], labels["severity"], labels["seed"], picture.subject)


def plan_distortions(
    dataset: Dataset,
    kinds: Sequence[str],
    severities: Sequence[int],
    seed: int,
    subjects: Mapping[str, Subject],
    default: Subject,
    extension: str = ".jpg",
) -> list[PlannedDistortion]:
    """Every photo in every kind and severity, the pictures of a photo next to each other.

    A picture lies at ``KIND-SEVERITY/`` and the photo's own path, whose extension gives way to ``extension``; where that
    would make two of one name, it is put behind it.
    """
    known = {} if dataset.labels is None else dataset.labels.drop(columns=list(OWN_COLUMNS), errors="ignore")
    rows = {} if dataset.labels is None else known.to_dict("index")
    plans = []
    for photo, name in zip(dataset.images, _names(dataset.images, extension), strict=True):
        for kind in kinds:
            about = {**rows.get(photo, {}), "kind": kind, "seed": seed_of(seed, photo, kind)}
            for severity in severities:
                labels = {**about, "severity": severity}
                path = f"{kind}-{severity}/{name}"
                plans.append(PlannedDistortion(path, photo, labels, subjects.get(photo, default)))
    return plans


def _names(photos: Sequence[str], extension: str) -> Iterator[str]:
    """The photos' paths with another extension, each different."""
    taken = set()
    for photo in photos:
        name = str(PurePosixPath(photo).with_suffix(extension))
        yield name if name not in taken else f"{photo}{extension}"
        taken.add(name)


def subjects_of(table: FaceTable) -> dict[str, Subject]:
    """The first face of every photo of a feature table that has one, by the photo's path."""
    scheme = "none" if table.spec is None else table.spec.embedder.landmark_scheme
    sides = np.sqrt(np.prod(table.box_xyxy[:, 2:] - table.box_xyxy[:, :2], axis=1))
    is_first = (table.face_index == 0) & (sides > 0)
    return {table.path[i]: Subject(float(sides[i]), table.landmarks_xy[i], scheme) for i in np.flatnonzero(is_first)}


def distort_parser() -> argparse.ArgumentParser:
    """The parser of ``python -m finetune.distort``."""
    parser = argparse.ArgumentParser(
        prog="python -m finetune.distort",
        description="Distort photos: weather, light, cameras, compression, covered faces.",
    )
    parser.add_argument("--data_dir", required=True, type=Path, help="folder of photos")
    parser.add_argument("--dataset", choices=sorted(ADAPTERS), help="layout of the folder (default: recognised)")
    parser.add_argument("--out", required=True, type=Path, help=f"folder for the pictures and {LABELS}")
    parser.add_argument(
        "--kinds", nargs="+", choices=list(KINDS), default=list(FACECOM_KINDS), help="(default: %(default)s)"
    )
    parser.add_argument("--severities", nargs="+", type=int, choices=SEVERITIES, default=list(SEVERITIES))
    faces = parser.add_mutually_exclusive_group()
    faces.add_argument(
        "--feature",
        type=Path,
        metavar="TABLE",
        help="feature table of the photos: lengths grow with its faces, occlusions need its landmarks",
    )
    faces.add_argument(
        "--face_px", type=float, default=REFERENCE_FACE_PX, help="side of the faces without it (default: %(default)g)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (default: %(default)s)")
    parser.add_argument("--format", choices=("jpg", "png"), default="jpg", help="(default: jpg, quality 95)")
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="write a contact sheet of some photos")
    parser.add_argument("--jobs", type=int, help="worker processes (default: one a core)")
    parser.add_argument("--overwrite", action="store_true", help="make everything again")
    return parser


def distort_main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (0 done, 1 when a picture could not be made, 2 wrong use)."""
    args = distort_parser().parse_args(argv)
    stopped = "stopped; the pictures that are finished are kept, run the same command to go on"
    return run_command("finetune.distort", lambda: _distort(args), stopped)


def _distort(args: argparse.Namespace) -> int:
    dataset = open_dataset(args.data_dir, args.dataset)
    if not dataset.images:
        raise ValueError(f"There are no images in {args.data_dir}.")
    plans = _plan(args, dataset)
    settings = {
        "command": "finetune.distort",
        "recipe_version": RECIPE_VERSION,
        "seed": args.seed,
        "faces": f"{args.face_px:g} px" if args.feature is None else _digest(plans),
    }
    job = ImageJob(plans, DistortionMaker(dataset.root), args.out, settings, resolve_jobs(args.jobs), args.overwrite)
    with tqdm(total=len(plans), unit="img", desc="distort", file=sys.stderr) as bar:
        summary = job.run(bar.update)
    _print_summary(summary, args.out)
    if args.sheet is not None:
        distortion_sheet(
            args.sheet, dataset.root, args.out, [plan for plan in plans if plan.path not in summary.problems]
        )
        print(f"sheet         {args.sheet}")
    return 1 if summary.problems else 0


def _plan(args: argparse.Namespace, dataset: Dataset) -> list[PlannedDistortion]:
    subjects: dict[str, Subject] = {}
    face_px = args.face_px
    if args.feature is not None:
        subjects = subjects_of(read_table(args.feature))
        if not subjects.keys() & set(dataset.images):
            raise ValueError(f"{args.feature} must hold faces of the photos in {args.data_dir}; it has none of them.")
        face_px = float(pd.Series([subject.face_px for subject in subjects.values()]).median())
    kinds, severities = (list(dict.fromkeys(values)) for values in (args.kinds, args.severities))
    return plan_distortions(
        dataset, kinds, severities, args.seed, subjects, Subject(face_px), extension=f".{args.format}"
    )


def _digest(plans: Sequence[PlannedDistortion]) -> str:
    """Sixteen hexadecimal characters that change when a face does."""
    faces = {plan.source: [plan.subject.face_px, *np.ravel(plan.subject.landmarks_xy).tolist()] for plan in plans}
    return digest_of(faces)


def _print_summary(summary: JobSummary, output: Path) -> None:
    print(f"pictures      {summary.n_made:>8}   made, {summary.n_reused} were there, {len(summary.problems)} failed")
    for path, reason in list(summary.problems.items())[:_N_PROBLEMS_SHOWN]:
        print(f"  {path}: {reason}")
    if summary.problems:
        print(f"  all of them in {output / PROBLEMS}")
    print(f"labels        {output / LABELS}")


if __name__ == "__main__":
    sys.exit(distort_main())
