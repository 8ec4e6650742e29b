"""Do maps of similarity point at the pixels that make two faces alike? Deletion and insertion on mated pairs of LFW.

100 mated pairs of View 1's DevTrain, drawn at random, a person once, with faces that HOG finds; the map is of the probe, the
reference stays as it is. Four maps rank the pixels: integrated gradients, occlusion, the centre of the crop first, and
random patches. Deletion blurs the first pixels of a ranking first, insertion brings them back first; the figure is the mean
of the similarity (minus the Euclidean distance) over the share of pixels.

    python -m benchmarks.pair_explanations [--data ../shared/data] [--pairs 100] [--jobs 2]

Intervals: 95 %, bootstrap over pairs; differences are taken pair by pair. The last line compares maps with those of the same
pair with another reference, a photo of somebody else: a map that did not change would not be about the pair.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from faceheads.datasets.pairs import read_pairs
from faceheads.images.reading import read_image
from faceheads.metrics import GroupBootstrap
from faceheads.pool import OrderedPool
from features.embed import EmbedderRequest
from features.explain.decision import SimilarityDecision
from features.explain.faithfulness import curves
from features.explain.methods import pixel_map
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig

from .arguments import benchmark_parser
from .report import machine_line, markdown_table

GRADIENTS, OCCLUSION, CENTRE, RANDOM = METHODS = ("integrated gradients", "occlusion", "centre first", "random")


@dataclass(frozen=True, eq=False)
class Explained:
    """One pair: deletion and insertion area by method, and how alike its map is to that with another reference."""

    areas: dict[str, tuple[float, float]]
    likeness: float


def main() -> None:
    """Print a table of the areas."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(f"{machine_line()}\n")
    start = time.perf_counter()
    triples = _triples(args.data / "lfw" / "pairsDevTrain.txt", args.seed)
    with OrderedPool(partial(_explain, args.data / "lfw" / "lfw-deepfunneled", args.seed), _lost, args.jobs) as pool:
        explained = list(islice((one for one in pool.map(triples) if one is not None), args.pairs))
    header = ["curve", *METHODS, *(f"gradients − {m}" for m in METHODS[1:])]
    rows = [_row(explained, which, title) for which, title in enumerate(("deletion (low)", "insertion (high)"))]
    print(markdown_table(header, rows))
    likeness = np.array([one.likeness for one in explained])
    print(f"\n{len(explained)} pairs; rank correlation with the map for another reference: {likeness.mean():.2f}")
    print(f"{time.perf_counter() - start:.0f} s")


def _triples(path: Path, seed: int) -> list[tuple[int, str, str, str]]:
    """Probe, reference and a photo of somebody else, in random order, a person once."""
    pairs = read_pairs(path)
    mated = pairs[pairs["is_mated"]].sample(frac=1, random_state=seed)
    mated = mated[~mated["probe"].map(lambda name: name.partition("/")[0]).duplicated()]
    probe, reference = (list(mated[side]) for side in ("probe", "reference"))
    return list(zip(range(len(mated)), probe, reference, np.roll(reference, 1).tolist(), strict=True))


@cache
def _pipeline() -> FacePipeline:
    return FacePipeline(PipelineConfig(EmbedderRequest(backend="torch"), "hog", faces="central"))


def _lost(triple: tuple[int, str, str, str]) -> None:
    print(f"{triple[1]}: the worker died")


def _explain(root: Path, seed: int, triple: tuple[int, str, str, str]) -> Explained | None:
    number, *paths = triple
    pipeline = _pipeline()
    found = pipeline.find_faces([read_image(root / path).rgb for path in paths])
    if any(one.crops is None for one in found):
        return None
    crops = np.stack([one.crops[0, 0] for one in found])
    embedder, crop = pipeline.embedder, crops[0]
    vectors = embedder.embed(crops)
    decision, other = (SimilarityDecision(vector, metric="euclidean") for vector in vectors[1:])
    maps = {GRADIENTS: "gradients", OCCLUSION: "occlusion"}
    maps = {name: pixel_map(embedder, decision, crop, method).values for name, method in maps.items()}
    rows, columns = np.mgrid[: crop.shape[0], : crop.shape[1]] - (np.array(crop.shape[:2])[:, None, None] - 1) / 2
    maps[CENTRE] = -np.hypot(rows, columns)
    maps[RANDOM] = np.random.default_rng([seed, number]).standard_normal(crop.shape[:2])
    found_curves = {name: curves(embedder.embed, [decision.score], crop, values)[0] for name, values in maps.items()}
    areas = {name: (curve.deletion_area, curve.insertion_area) for name, curve in found_curves.items()}
    changed = pixel_map(embedder, other, crop, "gradients").values
    return Explained(areas, float(spearmanr(maps[GRADIENTS].ravel(), changed.ravel()).statistic))


def _row(explained: list[Explained], which: int, title: str) -> list[str]:
    draws = GroupBootstrap(np.arange(len(explained)))
    values = {m: np.array([one.areas[m][which] for one in explained]) for m in METHODS}
    cells = [f"{values[m].mean():.3f}" for m in METHODS]
    for other in METHODS[1:]:
        estimate = draws.of_mean(values[GRADIENTS] - values[other]).estimate()
        cells.append(f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]")
    return [title, *cells]


if __name__ == "__main__":
    from benchmarks import pair_explanations  # worker processes look functions up by the name of their module

    pair_explanations.main()
