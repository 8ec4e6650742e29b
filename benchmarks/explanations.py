"""Do explanations point at the pixels that decide? Deletion and insertion curves on test faces of UTKFace.

200 images of the test part of the shared split (sha256 mod 5), drawn at random, those with a face that HOG finds; the heads
that ship, whose training never saw them. Three maps rank the pixels of each crop: integrated gradients, the centre of the
crop first, and random patches. Deletion blurs the first pixels of a ranking first, insertion brings them
back first; the figure is the mean over the share of pixels, of the probability of the decided gender, and of the age in
years that pixels are said to raise. For the distance to the predicted age the ranking is by the size of a share,
whatever its sign.

    python -m benchmarks.explanations [--data ../shared/data] [--faces 200] [--jobs 2]

Intervals: 95 %, bootstrap over faces; differences are taken face by face. Whether the maps depend on what was learned is the
question of ``benchmarks/randomised_explanations.py``.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from faceheads.metrics import GroupBootstrap
from features.explain.decision import HeadDecision
from features.explain.faithfulness import curves
from features.explain.gradients import integrated_gradients
from features.explain.network import DifferentiableNetwork

from .report import markdown_table
from .shipped_faces import crop_of, decision_about, results_on_test_faces, shipped_tools

GRADIENTS, CENTRE, RANDOM = METHODS = ("integrated gradients", "centre first", "random")
GENDER, AGE, DISTANCE = "probability of the gender", "age, years", "minus the distance to the age, years"
MEASURES = (GENDER, AGE, DISTANCE)

Areas = dict[tuple[str, str], tuple[float, float]]
"""Deletion and insertion area of each measure and method."""


def main() -> None:
    """Print a table for deletion and one for insertion."""
    start = time.perf_counter()
    explained = results_on_test_faces(__doc__, 200, _explain)
    for title, which in (("deletion (lower is better)", 0), ("insertion (higher is better)", 1)):
        print(f"\n{title}, {len(explained)} faces\n")
        print(
            markdown_table(["measure", *METHODS, *(f"gradients − {m}" for m in METHODS[1:])], _rows(explained, which))
        )
    print(f"{time.perf_counter() - start:.0f} s")


def _explain(seed: int, photo: tuple[int, Path]) -> Areas | None:
    number, path = photo
    crop = crop_of(path)
    if crop is None:
        return None
    _, pipeline, network = shipped_tools()
    embed = pipeline.embedder.embed
    gender, age = (decision_about(crop, target) for target in ("gender", "age"))
    years = age.score(embed(crop[None]))[0]
    supports = {GENDER: gender.raw, AGE: age.score, DISTANCE: lambda e: -np.abs(age.score(e) - years)}
    areas: Areas = {}
    for method, maps in _maps(network, gender, age, crop, np.random.default_rng([seed, number])).items():
        for names, importance in maps:
            found_curves = curves(embed, [supports[name] for name in names], crop, importance)
            for name, curve in zip(names, found_curves, strict=True):
                areas[name, method] = (curve.deletion_area, curve.insertion_area)
    return areas


def _maps(
    network: DifferentiableNetwork, gender: HeadDecision, age: HeadDecision, crop: np.ndarray, rng: np.random.Generator
) -> dict[str, list[tuple[tuple[str, ...], np.ndarray]]]:
    """For each method, the maps with the measures that they are for."""
    of_gender, of_age = (integrated_gradients(network, decision, crop).values for decision in (gender, age))
    found = {GRADIENTS: [((GENDER,), of_gender), ((AGE,), of_age), ((DISTANCE,), np.abs(of_age))]}
    rows, columns = np.mgrid[: crop.shape[0], : crop.shape[1]] - (np.array(crop.shape[:2])[:, None, None] - 1) / 2
    found[CENTRE] = [(MEASURES, -np.hypot(rows, columns))]
    found[RANDOM] = [(MEASURES, rng.standard_normal(crop.shape[:2]))]
    return found


def _rows(explained: list[Areas], which: int) -> list[list[str]]:
    draws = GroupBootstrap(np.arange(len(explained)))
    rows = []
    for measure in MEASURES:
        values = {m: np.array([one[measure, m][which] for one in explained]) for m in METHODS}
        cells = [f"{values[m].mean():.3f}" for m in METHODS]
        for other in METHODS[1:]:
            estimate = draws.of_mean(values[GRADIENTS] - values[other]).estimate()
            cells.append(f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]")
        rows.append([measure, *cells])
    return rows


if __name__ == "__main__":
    from benchmarks import explanations  # worker processes look functions up by the name of their module

    explanations.main()
