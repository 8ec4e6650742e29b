"""What changes decisions? Probes of the heads that ship, and of heads that learned criteria which are known.

1. The shipped heads on test faces of UTKFace, which they never saw. Its photos end at the forehead: hair is not seen.
2. The shipped heads on photos of LFW, the first one of people of DevTest, hair and all.
3. On the same photos three criteria that are measured in the pixels: *light hair* (mean lightness of the hair among the highest
   30 % of DevTrain), *dark eyes* (the region of the eyes darker below the cheeks than on 70 % of DevTrain's photos), and *one of
   both*, light hair XOR dark eyes. Heads learn them from embeddings of DevTrain's people, the first photo of each; probes must tell
   what the heads hang on. Fixed before anything was measured: parameters of criteria and head.

    python -m benchmarks.probes [--data ../shared/data] [--faces 120] [--train 400] [--jobs 2]

Flips with 95 % intervals, photos drawn (one a person in LFW).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.datasets.pairs import read_pairs
from faceheads.headfile import HeadFile
from faceheads.images.reading import read_image
from faceheads.pool import OrderedPool
from faceheads.store import save_heads
from faceheads.table import FaceRow, FaceTable
from faceheads.training import train_heads
from faceheads.training_options import TrainingOptions
from faceheads.wording import estimate_text
from features.annotate.cli import default_heads
from features.face import Face
from features.probes.changes import FAMILIES
from features.probes.colours import lab_of
from features.probes.effects import CONTROL, DIFFERENCE, EFFECT, measure_effects
from features.probes.job import ProbeJob
from features.probes.subject import Subject
from features.probes.tables import effect_text, signed_names

from .arguments import benchmark_parser
from .report import machine_line, markdown_table
from .shipped_faces import shipped_tools, test_photos

LIGHT_HAIR, DARK_EYES, ONE_OF_BOTH = CRITERIA = ("light hair", "dark eyes", "one of both")
#: Share of DevTrain's photos that have each of the two.
PREVALENCE = 0.3
HEAD = "svm"


@dataclass(frozen=True, eq=False)
class Measured:
    """A photo's rows of a feature table, the lightness of its hair, and how much darker its eyes are than its cheeks."""

    rows: list[FaceRow]
    hair: float = np.nan
    eyes: float = np.nan


def main() -> None:
    """Print a table for each target."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--faces", type=int, default=120, help="photos of UTKFace and of LFW (default: %(default)s)")
    parser.add_argument("--train", type=int, default=400, help="photos that criteria are learned from")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(f"{machine_line()}\n")
    start = time.perf_counter()
    utkface, lfw = args.data / "utkface" / "UTKFace", args.data / "lfw" / "lfw-deepfunneled"
    photos = [path.name for path in test_photos(utkface, args.seed)[: args.faces]]
    _print_effects("shipped heads, UTKFace", utkface, photos, default_heads(), ("gender", "age"), args)
    tested = _first_photos(args.data, "Test", args.faces, args.seed)
    criteria = _learn_criteria(lfw, _first_photos(args.data, "Train", args.train, args.seed), tested, args)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "criteria.skops"
        shipped = shipped_tools()[0]
        save_heads(model, replace(shipped, heads=(*shipped.heads, *criteria.heads)))
        _print_effects(
            "shipped heads and heads of known criteria, LFW", lfw, tested, model, ("gender", "age", *CRITERIA), args
        )
    print(f"\n{time.perf_counter() - start:.0f} s")


def _first_photos(data: Path, part: str, n: int, seed: int) -> list[str]:
    """The first photo of some people of a part of LFW's View 1, at random."""
    pairs = read_pairs(data / "lfw" / f"pairsDev{part}.txt")
    people = sorted({path.partition("/")[0] for side in ("probe", "reference") for path in pairs[side]})
    chosen = np.random.default_rng(seed).permutation(people)[:n]
    photos = (min((data / "lfw" / "lfw-deepfunneled" / person).glob("*.jpg")) for person in chosen)
    return sorted(f"{photo.parent.name}/{photo.name}" for photo in photos)


def _print_effects(
    title: str, root: Path, photos: Sequence[str], model: Path, targets: tuple[str, ...], args: argparse.Namespace
) -> None:
    spec_of = shipped_tools()[1].config
    config = replace(spec_of, embedder=replace(spec_of.embedder, backend="auto"))
    probed = ProbeJob(root, model, config, targets, FAMILIES, args.seed, jobs=args.jobs).run(photos)
    faces = probed.table.usable
    print(f"\n{title}: {probed.table.n_images} photos, {len(faces)} faces")
    effects = measure_effects(probed, faces.path.astype(str), {}, args.seed)
    for target in targets:
        some = [effect for effect in effects if effect.target == target and effect.n_faces]
        header = ["probe", "faces", EFFECT, CONTROL, DIFFERENCE, *signed_names(some[0])]
        names = header[2:]
        rows = [
            [e.probe.name, e.n_faces, *(" ".join(_bracketed(effect_text(e, name))) for name in names)] for e in some
        ]
        print(f"\n{target}\n\n{markdown_table(header, rows)}")


def _bracketed(words: tuple[str, str]) -> tuple[str, ...]:
    value, interval = words
    return (value, f"[{interval}]") if interval else (value,)


def _learn_criteria(root: Path, train: Sequence[str], tested: Sequence[str], args: argparse.Namespace) -> HeadFile:
    with OrderedPool(partial(_measure, root), lambda path: Measured([]), args.jobs) as pool:
        done = dict(zip([*train, *tested], pool.map([*train, *tested]), strict=True))
    measured = {path: one for path, one in done.items() if np.isfinite([one.hair, one.eyes]).all()}
    frame = pd.DataFrame(
        {"hair": {p: one.hair for p, one in measured.items()}, "eyes": {p: one.eyes for p, one in measured.items()}}
    )
    is_train = frame.index.isin(train)
    is_light = frame["hair"] >= frame["hair"][is_train].quantile(1 - PREVALENCE)
    is_dark = frame["eyes"] >= frame["eyes"][is_train].quantile(1 - PREVALENCE)
    truth = {LIGHT_HAIR: is_light, DARK_EYES: is_dark, ONE_OF_BOTH: is_light ^ is_dark}
    labels = pd.DataFrame({name: np.where(is_true, "yes", "no") for name, is_true in truth.items()}, index=frame.index)
    labels["split"] = np.where(is_train, "train", "test")
    spec = shipped_tools()[1].table_spec
    table = FaceTable.from_rows([row for one in measured.values() for row in one.rows[:1]], 5, spec)
    result = train_heads(table, labels, TrainingOptions(CRITERIA, head=HEAD, split="given", seed=args.seed))
    print(f"\ncriteria: learned from {is_train.sum()} photos, tested on {(~is_train).sum()}")
    for head in result.file.heads:
        metrics, baseline = head.report.metrics, head.report.baseline
        accuracy, always = (estimate_text("accuracy", found["accuracy"]) for found in (metrics, baseline))
        print(f"- {head.target.name}: accuracy {accuracy}, most frequent class {always}")
    return result.file


def _measure(root: Path, path: str) -> Measured:
    """The rows and the two measures of one photo; NaN where it shows no face or no hair."""
    pipeline = shipped_tools()[1]
    rows = pipeline.rows_of(root, [path])
    if rows[0].embedding is None:
        return Measured(rows)
    scene = Subject.of(read_image(root / path).rgb, Face(rows[0].box_xyxy, 0.0, "hog")).scene
    if scene.hair is None:
        return Measured(rows)
    lightness = lab_of(scene.rgb)[..., 0]
    x, y = scene.coordinates
    is_eyes = (np.abs(np.abs(x) - 0.5) < 0.35) & (np.abs(y) < 0.25)
    is_cheeks = (np.abs(np.abs(x) - 0.55) < 0.2) & (np.abs(y - 0.75) < 0.2)
    hair = float((lightness * scene.hair).sum() / scene.hair.sum())
    return Measured(rows, hair, float(lightness[is_cheeks].mean() - lightness[is_eyes].mean()))


if __name__ == "__main__":
    from benchmarks import probes  # worker processes look functions up by the name of their module

    probes.main()
