import math

import numpy as np
import pytest
import torch
from torch import nn

from finetune.optimisation import make_optimiser
from finetune.recipes import Recipe
from finetune.sing import Sing, standardised

LR, DECAY, BETAS = 0.03, 0.2, (0.8, 0.95)


def by_hand(weights, gradients):
    """The equations with one number at a time, float64."""
    shape, w = weights.shape, [float(x) for x in weights.ravel()]
    m, v = [0.0] * len(w), [0.0] * len(w)
    n_each = len(w) // shape[0]
    for t, gradient in enumerate(gradients, start=1):
        g = [float(x) for x in gradient.ravel()]
        if len(shape) > 1:
            means = [sum(g[o * n_each : (o + 1) * n_each]) / n_each for o in range(shape[0])]
            g = [x - means[i // n_each] for i, x in enumerate(g)]
        length = math.sqrt(sum(x * x for x in g))
        for i, x in enumerate(g):
            m[i] = BETAS[0] * m[i] + (1 - BETAS[0]) * x / length
            v[i] = BETAS[1] * v[i] + (1 - BETAS[1]) * (x / length) ** 2
            root = math.sqrt(v[i] / (1 - BETAS[1] ** t))
            w[i] -= LR * DECAY * w[i]
            w[i] -= LR * m[i] / (1 - BETAS[0] ** t) / (math.log(1 + math.exp(50 * root)) / 50)
    return np.array(w).reshape(shape)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 3, 3), (5,)])
def test_steps_are_those_of_the_equations(shape):
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=shape), rng.normal(size=(4, *shape))
    weights = nn.Parameter(torch.from_numpy(start.copy()))
    optimiser = Sing([weights], LR, BETAS, DECAY)
    for gradient in gradients:
        weights.grad = torch.from_numpy(gradient.copy())
        optimiser.step()
    np.testing.assert_allclose(weights.detach(), by_hand(start, gradients), rtol=1e-6)


def test_the_size_of_a_gradient_and_what_an_outputs_weights_share_do_not_matter():
    gradient = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = standardised(gradient)
    torch.testing.assert_close(standardised(1e6 * gradient + torch.arange(4.0)[:, None]), expected)
    assert expected.norm().item() == pytest.approx(1) and expected.mean(1).abs().max() < 1e-12


def test_one_weight_an_output_still_learns_and_no_gradient_stays_none():
    alone = torch.tensor([[3.0], [-4.0]])
    torch.testing.assert_close(standardised(alone), torch.tensor([[0.6], [-0.8]]))
    assert torch.equal(standardised(torch.zeros(2, 3)), torch.zeros(2, 3))
    untouched = nn.Parameter(torch.ones(2))
    Sing([untouched], 1.0).step()
    assert torch.equal(untouched.detach(), torch.ones(2))


def test_its_state_goes_on_after_being_stored(tmp_path):
    def stepped(n_steps, state=None, weights=None):
        weights = nn.Parameter(torch.arange(6.0).reshape(2, 3) if weights is None else weights)
        optimiser = Sing([weights], 0.1)
        if state is not None:
            optimiser.load_state_dict(state)
        for _ in range(n_steps):
            weights.grad = weights.detach() ** 2
            optimiser.step()
        return optimiser, weights.detach()

    whole = stepped(4)[1]
    half, weights = stepped(2)
    torch.save(half.state_dict(), tmp_path / "state.pt")
    assert torch.equal(stepped(2, torch.load(tmp_path / "state.pt", weights_only=True), weights)[1], whole)


def test_the_recipe_brings_weight_decay_where_it_belongs():
    network, task = nn.Linear(3, 4), nn.Linear(4, 2)
    optimiser = make_optimiser(network, task, Recipe("gender", "resnet18", optimiser="sing", weight_decay=0.3))
    assert isinstance(optimiser, Sing)
    decay = {id(p): group["weight_decay"] for group in optimiser.param_groups for p in group["params"]}
    assert decay[id(network.weight)] == 0.3 and decay[id(network.bias)] == 0.0
