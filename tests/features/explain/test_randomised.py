"""The check by weights drawn anew, on a network of three layers."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from features.embedders import TorchEmbedder
from features.explain.decision import HeadDecision
from features.explain.gradients import integrated_gradients
from features.explain.network import DifferentiableNetwork
from features.explain.randomised import (
    Likeness,
    layers_from_top,
    likeness,
    mixed_up,
    randomised,
    structural_similarity,
)
from tests.tables import table_spec

SIDE = 32
RNG = np.random.default_rng(0)
CROP = RNG.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
FIRST = HeadDecision("first", "", lambda e: np.asarray(e, np.float64)[:, 0], is_probability=False)


class ThreeLayers(torch.nn.Module):
    """Defined in another order than called, with a layer that is never called and one whose output nobody wants."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.last = torch.nn.Linear(8, 4)
        self.first = torch.nn.Conv2d(3, 8, 5, stride=2)
        self.second = torch.nn.Conv2d(8, 8, 3)
        self.idle = torch.nn.Linear(2, 2)
        self.behind = torch.nn.Linear(4, 2)

    def forward(self, crops, layers):
        x = torch.relu(self.first(crops.float() / 255))
        vectors = self.last((torch.relu_(self.second(x)) ** 2).mean((2, 3)))
        self.behind(vectors)
        return vectors


@pytest.fixture
def embedder():
    return TorchEmbedder(replace(table_spec(4).embedder, dimension=4), ThreeLayers, "cpu", 8)


def test_layers_are_those_that_are_called_the_last_first(embedder):
    network = embedder.module
    assert layers_from_top(embedder, CROP) == [network.last, network.second, network.first]
    assert not network.first._forward_hooks


def test_weights_are_drawn_anew_with_their_moments_and_restored(embedder):
    network = embedder.module
    true = {name: weights.clone() for name, weights in network.state_dict().items()}
    with randomised([network.last, network.second]):
        drawn = {name: weights.clone() for name, weights in network.state_dict().items()}
    for name, weights in true.items():
        is_drawn = name.startswith(("last", "second"))
        assert torch.equal(drawn[name], weights) != is_drawn, name
        assert float(drawn[name].mean()) == pytest.approx(float(weights.mean()), abs=float(weights.std()))
        assert torch.equal(network.state_dict()[name], weights)
    assert float(drawn["second.weight"].std()) == pytest.approx(float(true["second.weight"].std()), rel=0.1)
    with randomised([network.last, network.second, network.first]):
        with_more = network.state_dict()["second.weight"].clone()
    assert torch.equal(with_more, drawn["second.weight"])


def test_weights_come_back_after_an_error(embedder):
    before = embedder.embed(CROP[None])
    with pytest.raises(RuntimeError, match="half way"), randomised(layers_from_top(embedder, CROP)):
        raise RuntimeError("half way")
    assert np.array_equal(embedder.embed(CROP[None]), before)


def test_gradient_maps_change_with_the_weights_and_a_map_of_edges_does_not(embedder):
    def gradients():
        return integrated_gradients(DifferentiableNetwork(embedder), FIRST, CROP, n_steps=4).values

    def edges():
        return np.hypot(*np.gradient(CROP.mean(axis=2)))

    true, true_edges = gradients(), edges()
    with randomised(layers_from_top(embedder, CROP)):
        assert abs(likeness(true, gradients()).ranks) < 0.5
        assert likeness(true_edges, edges()).ranks == pytest.approx(1)


def test_a_head_that_mixes_its_inputs_up_decides_something_else(embedder):
    other = mixed_up(FIRST, 40)
    vectors = RNG.standard_normal((5, 40))
    assert not np.allclose(other.score(vectors), FIRST.score(vectors))
    assert any(np.allclose(other.score(vectors), vectors[:, i]) for i in range(1, 40))


def test_equal_maps_are_alike_and_opposite_ones_are_so_in_size_only():
    values = RNG.standard_normal((SIDE, SIDE))
    assert likeness(values, 3 * values) == Likeness(1, 1, pytest.approx(1))
    opposite = likeness(values, -values)
    assert (opposite.ranks, opposite.sizes, opposite.structure) == (pytest.approx(-1), 1, pytest.approx(1))
    other = likeness(values, RNG.standard_normal((SIDE, SIDE)))
    assert abs(other.ranks) < 0.4
    assert other.structure < 0.5
    assert np.isnan(likeness(values, np.zeros((SIDE, SIDE))).ranks)


def test_the_structural_similarity_is_that_of_its_equation_with_scipys_windows():
    one, other = RNG.random((2, 15, 20))
    other = (one + other) / 2
    mean = partial(gaussian_filter, sigma=1.5, mode="mirror", truncate=4)
    a, b = mean(one), mean(other)
    contrast = 2 * (mean(one * other) - a * b) + 9e-4
    variances = mean(one**2) - a**2 + mean(other**2) - b**2 + 9e-4
    expected = (2 * a * b + 1e-4) / (a**2 + b**2 + 1e-4) * contrast / variances
    assert structural_similarity(one, other) == pytest.approx(expected.mean(), abs=1e-6)
    assert structural_similarity(one, one) == pytest.approx(1)
