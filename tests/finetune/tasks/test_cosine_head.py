"""A softmax over the training persons beside the quadruplet loss: its weights learn, and fakes are not in it."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from finetune.optimisation import make_optimiser
from finetune.recipes import recipe
from finetune.tasks import make_task

#: Persons have numbers of folders, larger than there are persons.
LABELS = pd.DataFrame({"identity": ["907", "907", "907", "31", "31", "31", "8"], "fake": [0, 0, 1, 0, 0, 1, 0]})
IS_VALIDATION = np.array([False] * 6 + [True])
ROWS = torch.arange(6)


def task_of(**settings):
    torch.manual_seed(0)
    return make_task(recipe("quadruplet", scale=8.0, **settings), LABELS, IS_VALIDATION, 4)


def embedding():
    return torch.randn(7, 4, generator=torch.Generator().manual_seed(3))


def test_it_adds_the_cross_entropy_of_cosines_of_real_photos():
    task, x = task_of(cosine_weight=0.7), embedding()
    terms = task.loss(x[ROWS], ROWS)
    unit, weight = nn.functional.normalize(x), nn.functional.normalize(task.cosine_head.weight)
    losses = [
        -torch.log_softmax(8.0 * weight @ unit[i], 0)[0 if LABELS.identity[i] == "31" else 1] for i in (0, 1, 3, 4)
    ]
    assert terms["cosine"].item() == pytest.approx(torch.stack(losses).mean().item(), rel=1e-5)
    alone = task_of().loss(x[ROWS], ROWS)["loss"]
    assert (terms["loss"] - alone).item() == pytest.approx(0.7 * terms["cosine"].item(), rel=1e-4)


def test_its_weights_are_learned_and_there_is_one_for_each_training_person():
    task = task_of(cosine_weight=1.0)
    assert task.cosine_head.weight.shape == (2, 4)
    optimiser = make_optimiser(nn.Linear(1, 1), task, recipe("quadruplet", backbone="resnet18"))
    before = task.cosine_head.weight.detach().clone()
    task.loss(embedding()[ROWS], ROWS)["loss"].backward()
    optimiser.step()
    assert (task.cosine_head.weight != before).all()


def test_persons_begin_as_the_mean_direction_of_their_real_training_photos():
    task, x = task_of(cosine_weight=1.0), embedding()
    task.begin(lambda rows: x[rows])
    unit = nn.functional.normalize(x)
    expected = nn.functional.normalize(torch.stack([unit[[3, 4]].mean(0), unit[[0, 1]].mean(0)]))
    torch.testing.assert_close(task.cosine_head.weight.detach(), expected)


def test_a_batch_of_fakes_has_no_loss():
    rows = torch.tensor([2, 5])
    x = embedding()[rows].requires_grad_()
    terms = task_of(cosine_weight=1.0).loss(x, rows)
    terms["loss"].backward()
    assert terms["loss"] == 0 and torch.equal(x.grad, torch.zeros(2, 4))
