"""How well groups of faces agree with people, with intervals over people.

====================  ===============================================================================================
B-cubed precision     mean over faces of the share of the face's group that is the same person, itself included
B-cubed recall        mean over faces of the share of the person's faces that are in the face's group
pairwise precision    share of pairs of faces put together that are of one person
pairwise recall       share of pairs of faces of one person that are put together
F                     harmonic mean of precision and recall
====================  ===============================================================================================

References
----------
A. Bagga, B. Baldwin, Algorithms for scoring coreference chains, LREC workshop on linguistic coreference, 1998: B-cubed.
E. Amigó, J. Gonzalo, J. Artiles, F. Verdejo, A comparison of extrinsic clustering evaluation metrics based on formal
constraints, Information Retrieval 12, 2009: why B-cubed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..metrics.intervals import Estimate, GroupBootstrap, ratio


@dataclass(frozen=True)
class Agreement:
    """Each figure with a 95 % interval: people are drawn, the groups stay as they are."""

    b_cubed_precision: Estimate
    b_cubed_recall: Estimate
    b_cubed_f: Estimate
    pairwise_precision: Estimate
    pairwise_recall: Estimate
    pairwise_f: Estimate
    n_faces: int
    n_people: int
    n_groups: int


def agreement(group: np.ndarray, person: np.ndarray, seed: int = 0) -> Agreement:
    """Compare groups with people.

    Parameters
    ----------
    group, person : array of shape (n_faces,)
        Any values that tell groups and people apart. Faces that were not found should be groups of their own.
    seed : int, default=0
        Of the bootstrap.

    Raises
    ------
    ValueError
        If there is no face or the lengths differ.
    """
    if len(group) != len(person) or not len(group):
        raise ValueError(f"group and person must name each face once; got {len(group)} and {len(person)}.")
    group, person = (pd.factorize(np.asarray(values))[0] for values in (group, person))
    n_in_group, n_of_person = np.bincount(group)[group], np.bincount(person)[person]
    both = np.unique(np.stack([group, person], axis=1), axis=0, return_inverse=True, return_counts=True)
    n_together = both[2][both[1].ravel()]
    draws = GroupBootstrap(person, seed=seed)
    cubed = np.stack([n_together / n_in_group, n_together / n_of_person, np.ones(len(group))], axis=1)
    # every pair counts half for each of its faces, so that a pair of two persons is half of each of them
    pairs = np.stack([n_together - 1, n_in_group - 1, n_of_person - 1], axis=1) / 2
    return Agreement(
        draws.of_sums(cubed, lambda s: s[:, 0] / s[:, 2], is_proportion=True).estimate(),
        draws.of_sums(cubed, lambda s: s[:, 1] / s[:, 2], is_proportion=True).estimate(),
        draws.of_sums(cubed, lambda s: 2 * s[:, 0] * s[:, 1] / (s[:, 0] + s[:, 1]) / s[:, 2]).estimate(),
        draws.of_sums(pairs, lambda s: ratio(s[:, 0], s[:, 1]), is_proportion=True).estimate(),
        draws.of_sums(pairs, lambda s: ratio(s[:, 0], s[:, 2]), is_proportion=True).estimate(),
        draws.of_sums(pairs, lambda s: ratio(2 * s[:, 0], s[:, 1] + s[:, 2])).estimate(),
        len(group),
        int(person.max()) + 1,
        int(group.max()) + 1,
    )
