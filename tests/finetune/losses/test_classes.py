import numpy as np
import pytest
import torch

from finetune.losses.classes import (
    class_weights,
    cross_entropy,
    focal_loss,
)

LOGITS = np.array([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3], [-3.0, 4.0, 0.0]])
CLASSES = np.array([0, 2, 0])
P = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
WEIGHTS = np.array([0.5, 1.0, 3.0])


def tensors():
    return torch.from_numpy(LOGITS), torch.from_numpy(CLASSES)


def test_smoothing_shares_a_part_of_the_target_among_all_classes():
    target = 0.9 * np.eye(3)[CLASSES] + 0.1 / 3
    expected = -(target * np.log(P)).sum(1).mean()
    assert cross_entropy(*tensors(), smoothing=0.1).item() == pytest.approx(expected, rel=1e-6)


def test_weights_of_classes_weigh_the_mean():
    w = WEIGHTS[CLASSES]
    expected = -(w * np.log(P[range(3), CLASSES])).sum() / w.sum()
    got = cross_entropy(*tensors(), weights=torch.from_numpy(WEIGHTS).float())
    assert got.item() == pytest.approx(expected, rel=1e-6)


def test_two_classes_have_the_binary_cross_entropy_with_targets_smoothed_to_a_half():
    difference, classes = LOGITS[:, 1] - LOGITS[:, 0], np.array([1, 0, 0])
    p, target = 1 / (1 + np.exp(-difference)), np.array([0.95, 0.05, 0.05])
    expected = -(target * np.log(p) + (1 - target) * np.log(1 - p)).mean()
    got = cross_entropy(torch.from_numpy(LOGITS[:, :2]), torch.from_numpy(classes), smoothing=0.1)
    assert got.item() == pytest.approx(expected, rel=1e-6)


def test_the_focal_loss_is_that_of_the_paper_and_without_gamma_the_cross_entropy():
    p = P[range(3), CLASSES]
    expected = (-WEIGHTS[CLASSES] * (1 - p) ** 2 * np.log(p)).mean()
    got = focal_loss(*tensors(), gamma=2.0, weights=torch.from_numpy(WEIGHTS))
    assert got.item() == pytest.approx(expected, rel=1e-6)
    assert focal_loss(*tensors(), gamma=0.0).item() == pytest.approx(cross_entropy(*tensors()).item())


def test_class_weights_give_every_class_the_same_sum_and_rows_a_mean_of_1():
    classes = np.array([0] * 80 + [1] * 20)
    weights = class_weights(classes, 2).numpy()
    assert weights[0] * 80 == pytest.approx(weights[1] * 20) and weights[classes].mean() == pytest.approx(1)
    with pytest.raises(ValueError, match=r"\[80, 20, 0\]"):
        class_weights(classes, 3)
