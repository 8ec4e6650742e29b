"""Equal error rates over the pairs of some rows, with intervals that know that pairs share people."""

from __future__ import annotations

import math

import numpy as np

from faceheads.metrics import Estimate
from faceheads.verification.pairing import pair_fakes, pair_identities
from faceheads.verification.similarity import similarities
from faceheads.verification.trials import Trials
from faceheads.verification.uncertainty import UncertainRates

#: More pairs are not compared; which of them is drawn.
MAX_PAIRS = 500_000
_NO_PAIRS = Estimate(math.nan, note="undefined without pairs of both kinds")


def person_rates(embedding: np.ndarray, person: np.ndarray, is_fake: np.ndarray) -> dict[str, Estimate]:
    """``eer`` with other persons as non-mated, or where there are fakes ``eer_real``, and ``eer_fake`` with fakes as such.

    Parameters
    ----------
    embedding : ndarray of shape (n_rows, dimension)
        Compared by cosine.
    person : ndarray of shape (n_rows,), str
        Whom a fake claims to show.
    is_fake : ndarray of shape (n_rows,), bool
    """
    real = np.flatnonzero(~is_fake)
    try:
        pairs = pair_identities(person[real], MAX_PAIRS)
    except ValueError:  # no mated or no non-mated pair
        return {"eer_real": _NO_PAIRS, "eer_fake": _NO_PAIRS} if is_fake.any() else {"eer": _NO_PAIRS}
    probe, reference = real[pairs.probe], real[pairs.reference]
    rates = {"eer_real" if is_fake.any() else "eer": _eer(embedding, person, probe, reference, pairs.is_mated)}
    if is_fake.any():
        mated = probe[pairs.is_mated], reference[pairs.is_mated]
        fakes = pair_fakes(person, is_fake, MAX_PAIRS)
        sides = (np.concatenate(side) for side in zip(mated, fakes, strict=True))
        rates["eer_fake"] = _eer(embedding, person, *sides, np.arange(len(mated[0]) + len(fakes[0])) < len(mated[0]))
    return rates


def _eer(
    embedding: np.ndarray, person: np.ndarray, probe: np.ndarray, reference: np.ndarray, is_mated: np.ndarray
) -> Estimate:
    if is_mated.all():
        return _NO_PAIRS
    similarity = similarities(embedding, probe, reference, "cosine")
    return UncertainRates(Trials(probe, reference, is_mated, similarity, person[probe], person[reference])).eer()
