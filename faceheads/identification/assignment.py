"""Names for the faces of one photo: two faces of one photo are never one person.

Of all ways to give names so that nobody is named twice, the one is taken where similarities exceed the threshold by the
most in all. If the logarithm of the odds that two faces are of one person is a straight line in their similarity, as
:mod:`faceheads.verification.probability` has it, with even odds at the threshold, that is the most probable one.
``benchmarks/naming.py`` compares it with serving the most alike pair first, and with every face for itself.

References
----------
H. W. Kuhn, The Hungarian method for the assignment problem, Naval Research Logistics Quarterly 2, 1955.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

#: Who a face is that is nobody of the gallery.
NOBODY = -1
#: What a name is worth beyond its excess, so that one is given at the threshold too: less than float32 can tell apart.
_MORE_THAN_NOBODY = 1e-8


def assign_people(similarity: np.ndarray, threshold: float) -> np.ndarray:
    """The person of each face, or :data:`NOBODY`; each person at most once.

    Parameters
    ----------
    similarity : ndarray of shape (n_faces, n_people), float
        Of the faces of one photo.
    threshold : float
        A face is never given a person to whom its similarity is lower.

    Returns
    -------
    ndarray of shape (n_faces,), int64

    Examples
    --------
    >>> assign_people(np.array([[0.9, 0.8], [0.85, 0.3], [0.4, 0.4]]), 0.6)
    array([ 1,  0, -1])
    """
    chosen = np.full(len(similarity), NOBODY)
    if not similarity.size:
        return chosen
    similarity = np.asarray(similarity, np.float64)
    is_possible = similarity >= threshold
    wanted = np.flatnonzero(is_possible.any(axis=0))
    if np.all(is_possible.sum(axis=0) <= 1) and np.all(is_possible.sum(axis=1) <= 1):
        faces, people = np.nonzero(is_possible)  # nobody is wanted twice
        chosen[faces] = people
        return chosen
    excess = similarity[:, wanted] - threshold + _MORE_THAN_NOBODY
    gain = np.where(is_possible[:, wanted], excess, 0)
    faces, people = linear_sum_assignment(gain, maximize=True)
    is_named = gain[faces, people] > 0
    chosen[faces[is_named]] = wanted[people[is_named]]
    return chosen
