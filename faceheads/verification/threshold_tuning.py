"""A threshold file from comparisons: found on some people, measured on others."""

from __future__ import annotations

import math
from dataclasses import replace

from ..versions import software_versions
from .bona_fide_check import BonaFideCheck
from .comparisons import Comparisons, check_disjoint
from .known_errors import KnownErrors
from .probability import Probability
from .rules import Request
from .scores.base import PairScore
from .threshold_file import ThresholdError, ThresholdFile
from .threshold_search import find_threshold, threshold_reach

#: Log-odds of a match are what a bona fide check fuses: they need no curve.
_LOG_ODDS = Probability(slope=1.0, intercept=0.0)


def tune_threshold(
    tuned: Comparisons,
    reported: Comparisons | None,
    request: Request,
    score: PairScore | None = None,
    check: BonaFideCheck | None = None,
) -> ThresholdFile:
    """Find a threshold on one set of people and measure it on another.

    Parameters
    ----------
    tuned : Comparisons
        Of a table with a specification.
    reported : Comparisons or None
        Of other people; None leaves the errors on other people unknown.
    request : Request
        Keeps fakes apart where there is a check.
    score : PairScore, optional
        Fitted; what the similarities of both are made by.
    check : BonaFideCheck, optional
        Fitted; what they were fused by.

    Raises
    ------
    ThresholdError
        If the table has no specification, or there are too few people to know how sure the threshold is.
    ValueError
        If the sets share a person, or the comparisons cannot bear what is asked.
    """
    if tuned.table.spec is None:
        raise ThresholdError(
            "A threshold needs a feature table with a specification, so that it is not used with other embeddings; this "
            "one is a CSV of other software. Extract with feature_extraction.py."
        )
    if (check is not None) != request.keeps_fakes_apart:
        raise ValueError("a bona fide check goes with an FMR of fakes: give both or neither.")
    if reported is not None:
        check_disjoint(tuned.trials, reported.trials)
    threshold = find_threshold(tuned.trials, request) if check is not None else request.find(tuned.rates.curve)
    reach = _finite_reach(tuned, request)
    errors = KnownErrors.of(_people(tuned, check), _people(reported, check), threshold)
    if check is not None:
        check = replace(check, errors=KnownErrors.of(_fakes(tuned), _fakes(reported), threshold))
    return ThresholdFile(
        threshold,
        threshold - reach,
        threshold + reach,
        tuned.metric,
        request,
        tuned.table.spec,
        errors.tuned_on,
        errors.reported_on,
        Probability.fit(tuned.trials) if check is None else _LOG_ODDS,
        errors.points,
        software_versions(),
        score,
        check,
    )


def _finite_reach(tuned: Comparisons, request: Request) -> float:
    reach = threshold_reach(tuned.trials, request)
    if not math.isfinite(reach):
        raise ThresholdError(
            f"How sure the threshold is cannot be told from {tuned.rates.shared.n_identities} people, of whom few are in "
            "mated pairs. Give more people."
        )
    return reach


def _people(comparisons: Comparisons | None, check: BonaFideCheck | None) -> Comparisons | None:
    """Comparisons that errors are told of; without fakes where these are kept apart."""
    return comparisons if comparisons is None or check is None else comparisons.of_people


def _fakes(comparisons: Comparisons | None) -> Comparisons | None:
    """Comparisons with fakes that were made; None where there are none."""
    if comparisons is None or not comparisons.trials.made.is_fake.any():
        return None
    return comparisons.of_fakes
