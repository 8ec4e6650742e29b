import pytest
import torch

from finetune.losses.cohorts import cohort_gap, cohort_means

VALUES = [0.9, 0.4, 0.8, 0.1, 0.7, 0.3]
COHORT = [0, 2, 0, 2, 3, 2]


def gap_by_hand(values):
    means = []
    for k in sorted(set(COHORT)):
        own = [v for v, c in zip(values, COHORT, strict=True) if c == k]
        means.append(sum(own) / len(own))
    return max(means) - min(means)


def test_the_gap_is_between_the_best_and_the_worst_cohort_that_has_rows():
    gap = cohort_gap(torch.tensor(VALUES), torch.tensor(COHORT), 5)
    assert gap.item() == pytest.approx(gap_by_hand(VALUES))
    means = cohort_means(torch.tensor(VALUES), torch.tensor(COHORT), 5)
    assert means.isnan().tolist() == [False, True, False, False, True]


def test_its_gradient_is_that_of_small_differences():
    values = torch.tensor(VALUES, requires_grad=True)
    cohort_gap(values, torch.tensor(COHORT), 5).backward()
    for i in range(len(VALUES)):
        up, down = ([v + step * (i == j) for j, v in enumerate(VALUES)] for step in (1e-4, -1e-4))
        assert values.grad[i].item() == pytest.approx((gap_by_hand(up) - gap_by_hand(down)) / 2e-4, abs=1e-4)
    assert values.grad.isfinite().all() and values.grad[4] == 0  # neither best nor worst


def test_one_cohort_has_no_gap_and_no_gradient():
    values = torch.tensor([0.2, 0.6], requires_grad=True)
    gap = cohort_gap(values, torch.tensor([1, 1]), 3)
    gap.backward()
    assert gap == 0 and torch.equal(values.grad, torch.zeros(2))
