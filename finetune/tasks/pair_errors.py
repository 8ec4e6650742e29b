"""Errors over all pairs of faces: how well embeddings tell persons apart that training does not know."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from faceheads.verification.error_rates import ErrorCurve

#: Rows that are compared with each other at most, spread over all.
MAX_COMPARED = 2000


def comparisons(
    embedding: Tensor, person: Tensor, is_fake: Tensor | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of rows, of up to ``MAX_COMPARED`` of them: cosine, whether of one person, how many of the two are fakes."""
    step = -(-len(person) // MAX_COMPARED)
    unit = F.normalize(embedding[::step].float()).cpu().numpy()
    person = person[::step].cpu().numpy()
    n_fakes = np.zeros(len(person), int) if is_fake is None else is_fake[::step].cpu().numpy().astype(int)
    one, other = np.triu_indices(len(person), 1)
    return (unit @ unit.T)[one, other], person[one] == person[other], n_fakes[one] + n_fakes[other]


def equal_error_rate(similarity: np.ndarray, is_mated: np.ndarray) -> float:
    """The EER; NaN where one kind of pair is missing."""
    if is_mated.all() or not is_mated.any():
        return float("nan")
    return ErrorCurve.from_similarities(similarity, is_mated).eer().interpolated
