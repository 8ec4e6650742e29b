"""Maps of a small network whose answer is known: only a square of the crop matters."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from features.embedders import ArrayEmbedder, TorchEmbedder
from features.explain.decision import HeadDecision
from features.explain.faithfulness import curves
from features.explain.gradients import blurred, integrated_gradients
from features.explain.network import DifferentiableNetwork
from features.explain.occlusion import occlusion
from features.explain.overlay import AGAINST_RGB, FOR_RGB, overlay
from tests.tables import table_spec

SIDE = 40
SQUARE = (slice(8, 16), slice(24, 32))
SPEC = replace(table_spec(2).embedder, dimension=2)


class SquareNetwork(torch.nn.Module):
    """Two numbers: the mean of the green of a square, squared, and the mean of everything."""

    def forward(self, crops, layers):
        green = crops[:, 1, SQUARE[0], SQUARE[1]].float().mean(dim=(1, 2)) / 255
        return torch.stack([green**2, crops.float().mean(dim=(1, 2, 3)) / 255], dim=1)


@pytest.fixture
def crop():
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def embedder(flip=False):
    return TorchEmbedder(replace(SPEC, flip=flip), SquareNetwork, "cpu", 8)


FIRST = HeadDecision("green", "", lambda e: np.asarray(e, np.float64)[:, 0], is_probability=False)


def share_in_square(values):
    return np.abs(values[SQUARE]).sum() / np.abs(values).sum()


def test_pixels_that_the_decision_does_not_depend_on_have_no_share(crop):
    values = integrated_gradients(DifferentiableNetwork(embedder()), FIRST, crop).values
    assert share_in_square(values) == pytest.approx(1, abs=1e-6)
    assert values.shape == (SIDE, SIDE)


def test_the_shares_add_up_to_the_difference_from_the_baseline(crop):
    crop[SQUARE] = 255
    found = integrated_gradients(DifferentiableNetwork(embedder()), FIRST, crop, n_steps=64)
    network = DifferentiableNetwork(embedder())
    score, baseline = network.embed(np.stack([crop, blurred(crop)]))[:, 0]
    assert (found.score, found.baseline_score) == pytest.approx((score, baseline))
    assert found.values.sum() == pytest.approx(score - baseline, rel=1e-3)
    assert score - baseline > 0.2


def test_pull_back_is_the_gradient_of_differences_also_with_flip(crop):
    network = DifferentiableNetwork(embedder(flip=True))
    pixels = crop.astype(np.float32)
    _, gradients = network.embed_and_pull_back(pixels[None], lambda e: np.tile([1.0, 0.0], (len(e), 1)))
    for row, column in ((10, 28), (10, SIDE - 1 - 28), (30, 5)):  # in the square, in its mirror image, outside
        moved = np.stack([pixels, pixels])
        moved[:, row, column, 1] += [4, -4]
        up, down = network.embed(moved)[:, 0]
        assert gradients[0, row, column, 1] == pytest.approx((up - down) / 8, rel=2e-2, abs=1e-7)
    assert gradients[0, 10, 28, 1] > 0


def test_embeddings_are_those_of_the_embedder(crop):
    network = DifferentiableNetwork(embedder(flip=True))
    assert network.embed(crop[None]) == pytest.approx(embedder(flip=True).embed(crop[None]))


def test_a_network_that_has_no_gradients_is_refused():
    with pytest.raises(ValueError, match="Explain by occlusion"):
        DifferentiableNetwork(ArrayEmbedder(SPEC, lambda: None, 8))


def test_hiding_the_square_is_what_changes_the_decision(crop):
    crop[SQUARE] = 255
    found = occlusion(embedder().embed, FIRST, crop)
    peak = np.unravel_index(found.values.argmax(), found.values.shape)
    assert SQUARE[0].start <= peak[0] < SQUARE[0].stop
    assert SQUARE[1].start <= peak[1] < SQUARE[1].stop
    assert np.abs(found.values[24:, :12]).max() == pytest.approx(0, abs=1e-6)
    assert np.isfinite(found.values).all()


def test_a_faithful_map_deletes_and_inserts_sooner_than_its_opposite(crop):
    crop[SQUARE] = 255
    importance = np.zeros((SIDE, SIDE))
    importance[SQUARE] = 1

    def support(embeddings):
        return np.asarray(embeddings, np.float64)[:, 0]

    (right,) = curves(embedder().embed, [support], crop, importance)
    (wrong,) = curves(embedder().embed, [support], crop, -importance)
    assert right.deletion[0] == right.insertion[-1] == wrong.deletion[0] == pytest.approx(1)
    assert right.deletion[-1] == pytest.approx(right.insertion[0])
    assert right.deletion_area < wrong.deletion_area - 0.2
    assert right.insertion_area > wrong.insertion_area + 0.2


def test_areas_are_those_under_the_curves(crop):
    (found,) = curves(
        embedder().embed, [lambda e: np.linspace(0, 1, len(e))], crop, np.zeros((SIDE, SIDE)), n_points=5
    )
    assert found.deletion_area == pytest.approx(np.trapezoid(found.deletion, np.linspace(0, 1, 5)))
    assert found.insertion_area == pytest.approx(np.trapezoid(found.insertion, np.linspace(0, 1, 5)))


def test_the_overlay_shows_for_and_against_in_two_colours(crop):
    gray = np.full_like(crop, 128)
    found = integrated_gradients(DifferentiableNetwork(embedder()), FIRST, crop)
    values = np.zeros((SIDE, SIDE), np.float32)
    values[5:15, 5:15], values[25:35, 25:35] = 1, -1
    drawn = overlay(gray, replace(found, values=values), side_px=SIDE)
    assert drawn.shape == (SIDE, 2 * SIDE, 3)
    assert np.array_equal(drawn[:, :SIDE], gray)
    assert np.abs(drawn[10, SIDE + 10] - np.array(FOR_RGB)).max() < 30
    assert np.abs(drawn[30, SIDE + 30] - np.array(AGAINST_RGB)).max() < 30
    assert drawn[20, SIDE + 3].tolist() == [128] * 3
