"""Do explanations depend on what was learned? Maps of gender on test faces of UTKFace, with weights drawn anew from the top.

Test faces that the shipped heads never saw. Each map is compared with the true one of the same face and decision: first with
the head's inputs mixed up, then with more and more layers of the network drawn anew, from the embedding down to the pixels
(each array with the mean and the deviation that it had). Above and below stand what the figures would be at best and at worst:
the map of the same crop with noise that nobody sees, and that of another face.

    python -m benchmarks.randomised_explanations [--data ../shared/data] [--faces 20] [--jobs 2]

Likeness of the maps as they are drawn (smoothed): rank correlation of the shares, of their sizes, and structural similarity of
the sizes; means over faces with 95 % intervals (bootstrap over faces). A map that is 0 everywhere has no likeness and is
counted in the last column.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from faceheads.metrics import GroupBootstrap
from features.explain.decision import HeadDecision
from features.explain.gradients import integrated_gradients
from features.explain.network import DifferentiableNetwork
from features.explain.randomised import Likeness, layers_from_top, likeness, mixed_up, randomised

from .report import markdown_table
from .shipped_faces import crop_of, decision_about, results_on_test_faces, shipped_tools

TARGET = "gender"
#: Shares of the layers that are drawn anew; 0 is the last one only.
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
NOISE = 2.0
MEASURES = ("ranks", "sizes", "structure")
_OTHER_FACE = "map of another face"


def main() -> None:
    """Print the table."""
    start = time.perf_counter()
    maps, alike = zip(*results_on_test_faces(__doc__, 20, _explain), strict=True)
    others = [likeness(one, other) for one, other in zip(maps, (*maps[1:], maps[0]), strict=True)]
    rows = {_OTHER_FACE: others, **{name: [one[name] for one in alike] for name in alike[0]}}
    print(markdown_table(["compared with", *MEASURES, "faces"], [_row(name, some) for name, some in rows.items()]))
    print(f"\n{time.perf_counter() - start:.0f} s")


def _explain(seed: int, photo: tuple[int, Path]) -> tuple[np.ndarray, dict[str, Likeness]] | None:
    number, path = photo
    crop = crop_of(path)
    if crop is None:
        return None
    network, decision = shipped_tools()[2], decision_about(crop, TARGET)
    true = integrated_gradients(network, decision, crop).values
    rng = np.random.default_rng([seed, number])
    noisy = np.clip(np.rint(crop + rng.normal(0, NOISE, crop.shape)), 0, 255).astype(np.uint8)
    alike = {"the crop with invisible noise": likeness(true, integrated_gradients(network, decision, noisy).values)}
    for name, values in _maps_without_knowledge(network, decision, crop, number):
        alike[name] = likeness(true, values)
    return true, alike


def _maps_without_knowledge(
    network: DifferentiableNetwork, decision: HeadDecision, crop: np.ndarray, seed: int
) -> Iterator[tuple[str, np.ndarray]]:
    """Maps of heads and networks that know less and less."""
    mixed = mixed_up(decision, network.spec.dimension, seed)
    yield "the head's inputs mixed up", integrated_gradients(network, mixed, crop).values
    layers = layers_from_top(shipped_tools()[1].embedder, crop)
    for share in SHARES:
        n_layers = max(1, round(share * len(layers)))
        with randomised(layers[:n_layers], seed):
            yield f"the last {n_layers} of {len(layers)} layers", integrated_gradients(network, decision, crop).values


def _row(name: str, some: list[Likeness]) -> list[str]:
    cells = []
    for measure in MEASURES:
        values = np.array([getattr(one, measure) for one in some])
        values = values[np.isfinite(values)]
        estimate = GroupBootstrap(np.arange(len(values))).of_mean(values).estimate()
        cells.append(f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]")
    return [name, *cells, str(len(values))]


if __name__ == "__main__":
    from benchmarks import randomised_explanations  # worker processes look functions up by the name of their module

    randomised_explanations.main()
