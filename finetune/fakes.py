"""The command ``python -m finetune.fakes``: fakes for research on the verification of faces, made of real photos.

Face swaps whose seam is hidden by Poisson blending (``poisson``) or a feathered edge (``feather``), and self-blended images
(``self_blend``). The real photos are written too, through the same crop, resampling and JPEG: what tells them apart from the
fakes shall be the forgery and nothing else. What these fakes must not be used for is in ``docs/fakes.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from faceheads.command import run_command
from faceheads.labels import read_labels
from faceheads.pool import resolve_jobs
from faceheads.table_io import read_table
from faceheads.verification.identities import IDENTITY

from .contact_sheet import write_sheet
from .face_collection import FaceCollection
from .fake_maker import MARGIN, SIZE_PX, FakeMaker
from .fake_pairs import list_pairs, write_pairs
from .fake_plan import GENERATORS, PlannedImage, plan_images, real_image
from .image_job import LABELS, ImageJob

#: Pairs of photos on a contact sheet.
_N_ON_SHEET = 12


def fakes_parser() -> argparse.ArgumentParser:
    """The parser of ``python -m finetune.fakes``."""
    parser = argparse.ArgumentParser(
        prog="python -m finetune.fakes",
        description="Make fakes of real photos for research on face verification, and write the real photos through the same "
        "crop and JPEG. Every fake has the face of one person and claims that identity.",
    )
    parser.add_argument("--data_dir", required=True, type=Path, help="folder of photos")
    parser.add_argument("--feature", required=True, type=Path, help="feature table of them, detector hog or cnn")
    parser.add_argument(
        "--identity", required=True, metavar="LABELS", help="label table with the identity of each photo"
    )
    parser.add_argument("--identity_column", default=IDENTITY, metavar="COLUMN", help="(default: %(default)s)")
    parser.add_argument("--out", required=True, type=Path, help=f"folder for the images and {LABELS}")
    parser.add_argument("--kind", nargs="+", choices=GENERATORS, default=["poisson"], help="(default: poisson)")
    parser.add_argument("--count", type=int, default=1000, help="fakes of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (default: %(default)s)")
    parser.add_argument("--no_real", action="store_true", help="write the fakes only")
    parser.add_argument(
        "--own_shape", type=float, default=0.5, help="proportions: 0 target's, 1 source's (default: 0.5)"
    )
    parser.add_argument("--size", type=int, default=SIZE_PX, help="pixels a side of the images (default: %(default)s)")
    parser.add_argument(
        "--margin",
        type=float,
        default=MARGIN,
        help="of the crop beyond the face's box, as a share (default: %(default)s)",
    )
    parser.add_argument(
        "--pairs", type=Path, metavar="CSV", help="write pairs in the form of the Kryptonite challenge"
    )
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="write a contact sheet: source, target, their fakes")
    parser.add_argument("--jobs", type=int, help="worker processes (default: one a core)")
    parser.add_argument("--overwrite", action="store_true", help="make everything again")
    return parser


def fakes_main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (0 done, 1 when an image could not be made, 2 wrong use)."""
    args = fakes_parser().parse_args(argv)
    stopped = "stopped; the images that are finished are kept, run the same command to go on"
    return run_command("finetune.fakes", lambda: _make_fakes(args), stopped)


def _make_fakes(args: argparse.Namespace) -> int:
    collection = FaceCollection.from_table(read_table(args.feature), read_labels(args.identity), args.identity_column)
    plans = plan_images(collection, args.kind, args.count, args.seed, not args.no_real)
    maker = FakeMaker(args.data_dir, args.size, args.margin, args.own_shape)
    job = ImageJob(plans, maker, args.out, _settings(args, collection), resolve_jobs(args.jobs), args.overwrite)
    with tqdm(total=len(plans), unit="img", desc="fakes", file=sys.stderr) as bar:
        summary = job.run(bar.update)
    print(f"images        {summary.n_made:>8}   made, {summary.n_reused} were there, {len(summary.problems)} failed")
    if args.pairs is not None:
        _write_pairs(args)
    if args.sheet is not None:
        write_sheet(args.sheet, _sheet_rows(plans, maker))
    return 1 if summary.problems else 0


def _settings(args: argparse.Namespace, collection: FaceCollection) -> dict:
    """What decides the pixels."""
    chosen = {name: getattr(args, name) for name in ("seed", "own_shape", "size", "margin")}
    return {"command": "finetune.fakes", "faces": collection.sha256, **chosen}


def _write_pairs(args: argparse.Namespace) -> None:
    pairs = list_pairs(read_labels(args.out / LABELS), args.seed)
    write_pairs(args.pairs, pairs)
    n_fake = int(pairs["deepfake_a"].sum())
    print(f"pairs         {len(pairs):>8}   {int(pairs['label'].sum())} mated, {n_fake} with a fake")


def _sheet_rows(plans: Sequence[PlannedImage], maker: FakeMaker) -> list[list[np.ndarray]]:
    """Rows of source, target where there is another, and the fakes made of them."""
    by_number: dict[int, list[PlannedImage]] = {}
    for plan in sorted((plan for plan in plans if plan.labels["fake"]), key=lambda plan: plan.number):
        by_number.setdefault(plan.number, []).append(plan)
    rows = []
    for fakes in list(by_number.values())[:_N_ON_SHEET]:
        faces = dict.fromkeys([fakes[0].face, *(fake.target for fake in fakes)])
        shown = [*map(real_image, faces), *fakes]
        rows.append([maker.make(maker.open(plan.source), plan) for plan in shown])
    return rows


if __name__ == "__main__":
    sys.exit(fakes_main())
