import numpy as np
import pytest
import torch
from scipy.stats import entropy, norm

from finetune.losses.age import (
    distribution_loss,
    expectation,
    huber,
    target_distribution,
)

CENTRES = np.arange(0.0, 101.0, 5.0)
TRUTH = np.array([23.0, 61.0])
LOGITS = np.random.default_rng(0).normal(size=(2, len(CENTRES)))


def test_huber_is_the_absolute_error_less_half_of_delta_beyond_delta():
    got = huber(torch.tensor([10.0, 30.5]), torch.tensor([20.0, 30.0]), delta=2.0).item()
    assert got == pytest.approx(((10 - 1) + 0.5 * 0.5**2 / 2) / 2)


def test_the_loss_of_distributions_is_divergence_and_error_of_the_mean():
    target = norm.pdf(CENTRES, TRUTH[:, None], 4.0)
    target /= target.sum(1, keepdims=True)
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    expected = entropy(target, p, axis=1).mean() + 0.3 * np.abs(p @ CENTRES - TRUTH).mean()
    tensors = (torch.from_numpy(values) for values in (LOGITS, TRUTH, CENTRES))
    assert distribution_loss(*tensors, deviation=4.0, l1_weight=0.3).item() == pytest.approx(expected, rel=1e-5)


def test_the_mean_of_the_target_is_the_truth():
    centres = torch.arange(-30.0, 131.0)
    target = target_distribution(torch.tensor(TRUTH), centres, 3.0)
    torch.testing.assert_close(expectation(target.log(), centres), torch.tensor(TRUTH).float(), atol=1e-3, rtol=0)
