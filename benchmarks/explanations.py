"""Do explanations point at the pixels that decide? Deletion and insertion curves on test faces of UTKFace.

200 images of the test part of the shared split (sha256 mod 5), drawn at random, those with a face that HOG finds; the heads
that ship, whose training never saw them. Three maps rank the pixels of each crop: integrated gradients, the centre of the
crop first, and random patches. Deletion blurs the first pixels of a ranking first, insertion brings them
back first; the figure is the mean over the share of pixels, of the probability of the decided gender, and of the age in
years that pixels are said to raise. For the distance to the predicted age the ranking is by the size of a share,
whatever its sign.

    python -m benchmarks.explanations [--data ../shared/data] [--faces 200] [--jobs 2]

Intervals: 95 %, bootstrap over faces; differences are taken face by face. The last line compares maps of the network with
those of the same network with random weights: a map that did not change would explain nothing.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from faceheads.headfile import HeadFile
from faceheads.images.reading import read_image
from faceheads.metrics import GroupBootstrap
from faceheads.pool import OrderedPool
from faceheads.store import load_heads
from features.annotate.cli import default_heads
from features.explain.decision import head_decision
from features.explain.faithfulness import curves
from features.explain.gradients import integrated_gradients
from features.explain.network import DifferentiableNetwork
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig

from .arguments import benchmark_parser
from .report import machine_line, markdown_table

GRADIENTS, CENTRE, RANDOM = METHODS = ("integrated gradients", "centre first", "random")
GENDER, AGE, DISTANCE = "probability of the gender", "age, years", "minus the distance to the age, years"
MEASURES = (GENDER, AGE, DISTANCE)
N_RANDOMISED = 10

Areas = dict[tuple[str, str], tuple[float, float]]
"""Deletion and insertion area of each measure and method."""


@dataclass(frozen=True, eq=False)
class Explained:
    """One face: the areas, and how alike maps of the true and of a random network are (NaN where not asked)."""

    areas: Areas
    likeness: float = float("nan")


def main() -> None:
    """Print a table for deletion and one for insertion."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--faces", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(f"{machine_line()}\n")
    start = time.perf_counter()
    photos = list(enumerate(_test_photos(args.data / "utkface" / "UTKFace", args.seed)))
    with OrderedPool(partial(_explain, args.seed), _lost, args.jobs) as pool:
        found = (one for one in pool.map(photos) if one is not None)
        explained = list(islice(found, args.faces))
    for title, which in (("deletion (lower is better)", 0), ("insertion (higher is better)", 1)):
        print(f"\n{title}, {len(explained)} faces\n")
        print(
            markdown_table(["measure", *METHODS, *(f"gradients − {m}" for m in METHODS[1:])], _rows(explained, which))
        )
    likeness = np.array([one.likeness for one in explained])
    likeness = likeness[np.isfinite(likeness)]
    print(
        f"\nrank correlation with the maps of a network with random weights: {likeness.mean():.2f} ({len(likeness)} faces)"
    )
    print(f"{time.perf_counter() - start:.0f} s")


def _test_photos(folder: Path, seed: int) -> list[Path]:
    files = sorted(folder.glob("*.jpg"))
    order = np.random.default_rng(seed).permutation(len(files))
    return [files[i] for i in order if int(hashlib.sha256(files[i].read_bytes()).hexdigest(), 16) % 5 == 0]


@cache
def _tools() -> tuple[HeadFile, FacePipeline, DifferentiableNetwork]:
    heads = load_heads(default_heads())
    config = PipelineConfig.from_spec(heads.table_spec)
    pipeline = FacePipeline(replace(config, embedder=replace(config.embedder, backend="torch"), no_face="skip"))
    return heads, pipeline, DifferentiableNetwork(pipeline.embedder)


def _lost(photo: tuple[int, Path]) -> None:
    print(f"{photo[1].name}: the worker died")


def _explain(seed: int, photo: tuple[int, Path]) -> Explained | None:
    number, path = photo
    heads, pipeline, network = _tools()
    found = pipeline.find_faces([read_image(path).rgb])[0]
    if found.crops is None:
        return None
    crop, embed = found.crops[0, 0], pipeline.embedder.embed
    embedding = embed(crop[None])[0]
    gender, age = (head_decision(heads, target, embedding) for target in ("gender", "age"))
    years = age.score(embedding[None])[0]
    supports = {GENDER: gender.raw, AGE: age.score, DISTANCE: lambda e: -np.abs(age.score(e) - years)}
    areas: Areas = {}
    for method, maps in _maps(network, gender, age, crop, np.random.default_rng([seed, number])).items():
        for names, importance in maps:
            found_curves = curves(embed, [supports[name] for name in names], crop, importance)
            for name, curve in zip(names, found_curves, strict=True):
                areas[name, method] = (curve.deletion_area, curve.insertion_area)
    if number >= N_RANDOMISED:
        return Explained(areas)
    true, other = (integrated_gradients(net, gender, crop).values for net in (network, _random_network()))
    return Explained(areas, float(spearmanr(true.ravel(), other.ravel()).statistic))


def _maps(network, gender, age, crop, rng) -> dict[str, list[tuple[tuple[str, ...], np.ndarray]]]:
    """For each method, the maps with the measures that they are for."""
    of_gender, of_age = (integrated_gradients(network, decision, crop).values for decision in (gender, age))
    found = {GRADIENTS: [((GENDER,), of_gender), ((AGE,), of_age), ((DISTANCE,), np.abs(of_age))]}
    rows, columns = np.mgrid[: crop.shape[0], : crop.shape[1]] - (np.array(crop.shape[:2])[:, None, None] - 1) / 2
    found[CENTRE] = [(MEASURES, -np.hypot(rows, columns))]
    found[RANDOM] = [(MEASURES, rng.standard_normal(crop.shape[:2]))]
    return found


@cache
def _random_network() -> DifferentiableNetwork:
    """The embedding network with every weight drawn anew, of the same mean and deviation in each array."""
    import torch

    config = _tools()[1].config
    pipeline = FacePipeline(config)
    generator = torch.Generator().manual_seed(0)
    module = pipeline.embedder.module
    for weights in module.parameters():
        drawn = torch.randn(weights.shape, generator=generator)
        weights.data = weights.mean() + drawn * weights.std(correction=0)
    return DifferentiableNetwork(pipeline.embedder)


def _rows(explained: list[Explained], which: int) -> list[list[str]]:
    draws = GroupBootstrap(np.arange(len(explained)))
    rows = []
    for measure in MEASURES:
        values = {m: np.array([one.areas[measure, m][which] for one in explained]) for m in METHODS}
        cells = [f"{values[m].mean():.3f}" for m in METHODS]
        for other in METHODS[1:]:
            estimate = draws.of_mean(values[GRADIENTS] - values[other]).estimate()
            cells.append(f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]")
        rows.append([measure, *cells])
    return rows


if __name__ == "__main__":
    from benchmarks import explanations  # worker processes look functions up by the name of their module

    explanations.main()
