"""Triplets without fakes, on the unit sphere."""

import numpy as np
import pandas as pd
import pytest
import torch

from finetune.recipes import recipe
from finetune.tasks import QuadrupletTask, make_task

LABELS = pd.DataFrame({"identity": list("aaabbbcd")})
EVERYONE, ROWS = np.zeros(8, bool), torch.arange(8)
X = np.random.default_rng(0).normal(size=(8, 3))


def task_of(**settings):
    return make_task(recipe("triplet", **settings), LABELS, EVERYONE, 3)


def by_hand(margin):
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    losses = []
    for i, name in enumerate(LABELS.identity):
        d = [np.linalg.norm(unit[i] - other) for other in unit]
        near = [d[j] for j in range(8) if j != i and LABELS.identity[j] == name]
        far = [d[j] for j in range(8) if LABELS.identity[j] != name]
        if near:
            losses.append(max(0.0, margin + max(near) - min(far)))
    return np.mean(losses)


def test_the_loss_is_that_of_the_hardest_triplets():
    x = torch.from_numpy(X).float()
    terms = task_of(margin=0.4).loss(x, ROWS)
    assert terms["loss"].item() == pytest.approx(by_hand(0.4), rel=1e-5)
    assert terms["d_positive"] > 0 and terms["d_negative"] > 0


def test_what_is_trained_is_what_is_scored_so_the_size_of_an_embedding_does_not_matter():
    """Distances of vectors of any length were trained, and cosines scored."""
    x = torch.from_numpy(X).float()
    sizes = torch.linspace(0.1, 9, 8)[:, None]
    for task in (task_of(), QuadrupletTask(torch.arange(8) // 3, torch.arange(8) % 3 == 2, 0.3, 1.0)):
        torch.testing.assert_close(task.loss(sizes * x, ROWS)["loss"], task.loss(x, ROWS)["loss"])
        assert task.metrics(sizes * x, ROWS)["score"] == pytest.approx(task.metrics(x, ROWS)["score"])


def test_a_batch_without_a_triplet_has_no_loss_but_a_gradient_of_0():
    x = torch.from_numpy(X[[0, 3, 6]]).float().requires_grad_()
    terms = task_of().loss(x, torch.tensor([0, 3, 6]))
    terms["loss"].backward()
    assert terms["loss"] == 0 and terms["d_positive"].isnan() and not x.grad.any()
