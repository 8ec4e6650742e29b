import pytest
import torch
from torch import nn

from finetune.optimisation import AveragedWeights, learning_rate_factor, make_optimiser
from finetune.recipes import Recipe


def test_the_rate_rises_in_a_line_and_falls_to_nothing():
    factors = [learning_rate_factor(step, 100, 10) for step in range(101)]
    assert factors[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert factors[10] == 1 and factors[55] == pytest.approx(0.5) and factors[100] == pytest.approx(0)


def test_biases_and_normalisations_do_not_decay_and_the_network_has_its_own_rate():
    network, task = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)), nn.Linear(2, 2)
    optimiser = make_optimiser(network, task, Recipe("gender", "resnet18", lr=0.1, backbone_lr=0.5, weight_decay=0.3))
    found = {id(p): (group["lr"], group["weight_decay"]) for group in optimiser.param_groups for p in group["params"]}
    assert found[id(task.weight)] == (0.1, 0.3) and found[id(task.bias)] == (0.1, 0.0)
    assert found[id(network[0].weight)] == (0.05, 0.3) and found[id(network[1].weight)] == (0.05, 0.0)


def test_steps_of_a_network_without_normalisation_are_in_proportion_to_its_weights():
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    network[0].weight.data.fill_(-0.2)
    network[1].weight.data.fill_(1e-9)
    optimiser = make_optimiser(network, nn.Linear(2, 2), Recipe("gender", "dlib", lr=0.1, backbone_lr=0.5))
    rates = {id(p): group["highest_lr"] for group in optimiser.param_groups for p in group["params"]}
    assert rates[id(network[0].weight)] == pytest.approx(0.05 * 0.2)
    assert rates[id(network[1].weight)] == pytest.approx(0.05 * 1e-3)


def test_averaged_weights_follow_by_their_decay():
    module = nn.Linear(1, 1, bias=False)
    average = AveragedWeights(module, 0.9)
    start = module.weight.item()
    module.weight.data.fill_(start + 1)
    average.follow(module, step=1000)
    assert average.module.weight.item() == pytest.approx(start + 0.1)
    average.follow(module, step=0)  # the first steps are followed at once
    assert average.module.weight.item() == pytest.approx(start + 1)


def test_nothing_to_learn_is_refused():
    with pytest.raises(ValueError, match="leaves nothing to learn"):
        make_optimiser(nn.Linear(1, 1), torch.nn.Identity(), Recipe("quadruplet", backbone_lr=0.0))
