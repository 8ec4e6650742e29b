"""The head that tells fakes from photos, against numbers worked out by hand, and its place beside a quadruplet."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from finetune.losses.bona_fide import BonaFideHead
from finetune.recipes import recipe
from finetune.tasks import make_task

LABELS = pd.DataFrame({"identity": list("aaabbbc"), "fake": [0, 0, 1, 0, 0, 1, 0]})
IS_VALIDATION = np.array([False] * 6 + [True])
ROWS = torch.arange(6)


def test_it_is_the_cross_entropy_of_scaled_directions():
    head = BonaFideHead(2, scale=4.0)
    with torch.no_grad():
        head.fc.weight.copy_(torch.tensor([[1.0, 0.0]]))
        head.fc.bias.fill_(-1.0)
    # Directions (0.6, 0.8) and (-1, 0): logits 4 * 0.6 - 1 = 1.4 of a fake, and -5 of a photo.
    loss = head(torch.tensor([[3.0, 4.0], [-7.0, 0.0]]), torch.tensor([True, False]))
    assert loss.item() == pytest.approx((math.log1p(math.exp(-1.4)) + math.log1p(math.exp(-5.0))) / 2)


def test_its_weight_scales_what_it_adds_and_its_gradient_reaches_the_embedding():
    embedding = torch.randn(7, 4, generator=torch.Generator().manual_seed(3))
    terms = {}
    for weight in (0.0, 0.5, 2.0):
        torch.manual_seed(0)
        task = make_task(recipe("quadruplet", bona_fide_weight=weight), LABELS, IS_VALIDATION, 4)
        terms[weight] = task.loss(embedding[ROWS], ROWS)
    assert "bona_fide" not in terms[0.0]
    for weight in (0.5, 2.0):
        added = terms[weight]["loss"] - terms[0.0]["loss"]
        assert added.item() == pytest.approx(weight * terms[weight]["bona_fide"].item(), rel=1e-4)
    x = embedding[ROWS].requires_grad_()
    task.bona_fide_head(x, torch.tensor(LABELS.fake[:6].to_numpy() == 1)).backward()
    assert (x.grad.abs().sum(1) > 0).all()
