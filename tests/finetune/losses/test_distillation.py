import numpy as np
import pytest
import torch
from scipy.spatial.distance import cosine

from finetune.losses.distillation import distances

RNG = np.random.default_rng(0)
ONE, OTHER = RNG.normal(size=(2, 4, 3))


def test_both_distances_are_those_of_the_rows():
    one, other = torch.from_numpy(ONE), torch.from_numpy(OTHER)
    cosines = [cosine(a, b) for a, b in zip(ONE, OTHER, strict=True)]
    assert distances(one, other, "cosine").numpy() == pytest.approx(cosines, rel=1e-5)
    squares = [((a - b) ** 2).sum() for a, b in zip(ONE, OTHER, strict=True)]
    assert distances(one, other, "mse").numpy() == pytest.approx(squares, rel=1e-5)
    assert distances(5 * one, one, "cosine").numpy() == pytest.approx(np.zeros(4), abs=1e-6)


@pytest.mark.parametrize("kind", ["cosine", "mse"])
def test_a_step_against_the_gradient_brings_the_embedding_nearer(kind):
    one, other = torch.from_numpy(ONE).requires_grad_(), torch.from_numpy(OTHER)
    before = distances(one, other, kind).mean()
    before.backward()
    assert distances(one - 0.1 * one.grad, other, kind).mean() < before


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match=r"must be one of \['cosine', 'mse'\]; got 'l1'"):
        distances(torch.ones(1, 1), torch.ones(1, 1), "l1")
