import math

import numpy as np
import pytest
import torch

from finetune.losses.margin import MarginSoftmax


def loss_of(kind, margin, dimension=4, n_persons=3, scale=16.0):
    torch.manual_seed(0)
    return MarginSoftmax(dimension, n_persons, kind, scale, margin)


def by_hand(x, weight, person, kind, scale, margin):
    losses = []
    for row, right in zip(x, person, strict=True):
        cosines = [row @ w / np.linalg.norm(row) / np.linalg.norm(w) for w in weight]
        cosines[right] = cosines[right] - margin if kind == "cosface" else math.cos(math.acos(cosines[right]) + margin)
        e = np.exp(scale * np.array(cosines))
        losses.append(-math.log(e[right] / e.sum()))
    return np.mean(losses)


@pytest.mark.parametrize(("kind", "margin"), [("arcface", 0.5), ("cosface", 0.35)])
def test_the_loss_is_that_of_the_paper(kind, margin):
    loss = loss_of(kind, margin)
    person = torch.tensor([0, 2, 1, 1])
    x = 3 * torch.randn(4, 4, generator=torch.Generator().manual_seed(2)) + loss.weight[person].detach()
    expected = by_hand(x.numpy(), loss.weight.detach().numpy(), person.tolist(), kind, 16.0, margin)
    assert loss(x, person).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["arcface", "cosface"])
def test_gradients_are_right_for_embeddings_and_persons(kind):
    loss = loss_of(kind, 0.3).double()
    loss.weight.data = loss.weight.data.double()
    x = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    person = torch.tensor([1, 0, 2])
    numeric = [(_at(loss, x, person, i, 1e-2) - _at(loss, x, person, i, -1e-2)) / 2e-2 for i in range(12)]
    loss(x, person).backward()
    np.testing.assert_allclose(x.grad.ravel(), numeric, atol=2e-2)
    assert loss.weight.grad.abs().sum() > 0


def _at(loss, x, person, position, step):
    moved = x.detach().clone()
    moved.view(-1)[position] += step
    return loss(moved, person).item()


def test_beyond_an_angle_of_pi_the_loss_goes_on_rising():
    loss = loss_of("arcface", 0.5, dimension=2, n_persons=2)
    loss.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    angles = torch.linspace(0, math.pi, 50)
    logits = loss.logits(torch.stack([angles.cos(), -angles.sin()], 1), torch.zeros(50, dtype=torch.int64))[:, 0]
    assert (logits.diff() < 0).all()


def test_the_size_of_an_embedding_does_not_matter():
    loss, x, person = loss_of("arcface", 0.5), torch.randn(3, 4), torch.tensor([0, 1, 2])
    torch.testing.assert_close(loss(x, person), loss(7 * x, person))
