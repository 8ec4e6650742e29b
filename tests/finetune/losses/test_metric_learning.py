"""The same numbers and gradients as pytorch-metric-learning 2.9.0, where both have the loss."""

import math

import pytest
import torch

from finetune.losses.margin import MarginSoftmax
from finetune.losses.triplet import distance, mine, quadruplet, triplet

losses = pytest.importorskip("pytorch_metric_learning.losses")
miners = pytest.importorskip("pytorch_metric_learning.miners")
distances = pytest.importorskip("pytorch_metric_learning.distances")

N_PERSONS, DIMENSION, SCALE = 5, 6, 16.0


def examples(n=20):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, DIMENSION, generator=generator).requires_grad_(), torch.arange(n) % N_PERSONS


def gradients(loss, *of):
    return torch.autograd.grad(loss, of)


@pytest.mark.parametrize(("kind", "margin"), [("arcface", 0.4), ("cosface", 0.35)])
def test_margins_are_those_of_the_library(kind, margin):
    torch.manual_seed(1)
    own = MarginSoftmax(DIMENSION, N_PERSONS, kind, SCALE, margin)
    if kind == "arcface":  # its margin is in degrees
        other = losses.ArcFaceLoss(N_PERSONS, DIMENSION, margin=math.degrees(margin), scale=SCALE)
    else:
        other = losses.CosFaceLoss(N_PERSONS, DIMENSION, margin=margin, scale=SCALE)
    other.W.data = own.weight.detach().T.clone()
    x, person = examples()
    one, two = own(x, person), other(x, person)
    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)
    (dx, dw), (dx2, dw2) = gradients(one, x, own.weight), gradients(two, x, other.W)
    torch.testing.assert_close(dx, dx2, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(dw, dw2.T, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("margin", [0.2, None])
def test_triplets_are_those_of_the_library(margin):
    """Its soft margin is softplus(margin + excess): with margin 0 it is ours."""
    x, person = examples()
    anchor, positive, negative = torch.arange(0, 15), torch.arange(5, 20), (torch.arange(15) + 1) % 20
    settings = {"margin": 0.0, "smooth_loss": True} if margin is None else {"margin": margin}
    plain = distances.LpDistance(normalize_embeddings=False)
    other = losses.TripletMarginLoss(**settings, distance=plain, reducer=None)
    expected = other(x, person, (anchor, positive, negative))
    got = triplet(distance(x[anchor], x[positive]), distance(x[anchor], x[negative]), margin)
    active = (distance(x[anchor], x[positive]) - distance(x[anchor], x[negative]) + (margin or 0) > 0).float().mean()
    share = 1.0 if margin is None else active  # the library's mean is over the triplets whose loss is not 0
    torch.testing.assert_close(got, expected * share, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(*(gradients(value, x)[0] for value in (got, expected * share)), rtol=1e-3, atol=1e-5)


def test_the_hardest_photos_are_those_of_the_library():
    """Batch-hard: the farthest photo of the person, the nearest of another; fakes are mined apart, and only from fakes."""
    x, person = examples(30)
    is_fake = torch.arange(30) >= 20
    real, fakes = torch.nonzero(~is_fake)[:, 0], torch.nonzero(is_fake)[:, 0]
    miner = miners.BatchHardMiner(distance=distances.LpDistance(normalize_embeddings=False))
    anchor, positive, negative = miner(x[real], person[real])
    own = mine(x, person, is_fake)
    torch.testing.assert_close(own[0], anchor)
    torch.testing.assert_close(own[1], positive)
    torch.testing.assert_close(own[2], negative)
    assert is_fake[own[3]].all() and (person[own[3]] == person[own[0]]).all()
    nearest = torch.cdist(x[real], x[fakes]).masked_fill(person[real][:, None] != person[fakes][None], torch.inf)
    torch.testing.assert_close(own[3], fakes[nearest.argmin(1)])


def test_without_the_fake_the_quadruplet_loss_is_the_librarys_triplet_loss_of_the_hardest():
    x, person = examples(30)
    is_fake = torch.arange(30) >= 20
    a, p, n, f = (x[some] for some in mine(x, person, is_fake))
    positions = mine(x, person, is_fake)[:3]
    library = losses.TripletMarginLoss(
        margin=5.0, distance=distances.LpDistance(normalize_embeddings=False), reducer=None
    )
    expected = library(x, person, positions)
    torch.testing.assert_close(quadruplet(a, p, n, f, 5.0, 0.0).total, expected, rtol=1e-4, atol=1e-5)
