"""How far cohorts are apart, as something that training can make smaller.

The gap pulls both ends together: what helps the worse cohort makes it smaller, and so does what harms the better one. The
loss beside it is what keeps the better one good. In a batch of few rows of a cohort means differ by chance, so the gap of
batches is larger than that of all rows; large batches and ``--balance sampler`` help.
"""

from __future__ import annotations

import torch
from torch import Tensor


def cohort_means(values: Tensor, cohort: Tensor, n_cohorts: int) -> Tensor:
    """The mean of each cohort's values, NaN for a cohort without a row.

    Parameters
    ----------
    values : Tensor of shape (n,), float
    cohort : Tensor of shape (n,), int64
        From 0 to ``n_cohorts - 1``.
    n_cohorts : int

    Returns
    -------
    Tensor of shape (n_cohorts,)
    """
    counts = torch.bincount(cohort, minlength=n_cohorts)
    return values.new_zeros(n_cohorts).index_add(0, cohort, values) / counts


def cohort_gap(values: Tensor, cohort: Tensor, n_cohorts: int) -> Tensor:
    """The largest mean of a cohort minus the smallest, of those that have rows; 0 where only one has."""
    is_there = torch.bincount(cohort, minlength=n_cohorts) > 0
    means = cohort_means(values, cohort, n_cohorts)[is_there]
    return means.max() - means.min()
