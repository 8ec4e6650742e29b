"""What is measured on a set of comparisons, as JSON, and the report that is written of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ..atomic import write_text
from ..extraction_command import extraction_command
from ..metrics.intervals import Estimate
from ..report.document import Block, Picture
from ..report.markdown import markdown as document_as_markdown
from ..report.writing import write_document
from ..versions import software_versions
from .accuracy import cross_validated_accuracy
from .bona_fide_check import BonaFideCheck
from .cohort_errors import compare_cohorts
from .comparisons import Comparisons
from .document import verification_document
from .error_rates import FMR_LIMITS, ErrorCurve, OperatingPoint
from .kinds import KindErrors, errors_by_kind
from .rules import Request
from .threshold_file import ThresholdFile
from .uncertainty import mean_with_interval

NAME = "verification"
JSON_NAME = f"{NAME}.json"
#: Accuracy is of lists of pairs, where both kinds are about equally many; folds of more pairs say nothing new.
MAX_PAIRS_FOR_ACCURACY = 100_000


def measure(
    comparisons: Comparisons,
    file: ThresholdFile | None = None,
    curve: ErrorCurve | None = None,
    cohorts: Mapping[str, pd.Categorical] | None = None,
) -> dict:
    """Everything that is reported on comparisons, as JSON values.

    Parameters
    ----------
    comparisons : Comparisons
    file : ThresholdFile, optional
        A threshold to report the errors of.
    curve : ErrorCurve, optional
        Over more pairs than ``comparisons`` lists; the intervals still come from those.
    cohorts : mapping of str to Categorical of n_rows rows, optional
        Cohorts of the faces of the table, as :func:`faceheads.cohorts.cohort_columns` gives them, to report errors by.

    Raises
    ------
    ValueError
        If there are no mated or no non-mated comparisons that were made.
    """
    people = without_fakes(comparisons, file)
    rates, spec = people.rates, comparisons.table.spec
    curve = rates.curve if curve is None else curve
    values = {
        "source": comparisons.source,
        "sha256": comparisons.sha256,
        "remarks": list(comparisons.remarks),
        "metric": comparisons.metric,
        "score": comparisons.score,
        "embedder_digest": None if spec is None else spec.embedder_digest,
        "extraction": None if spec is None else extraction_command(spec),
        "n_identities": rates.shared.n_identities,
        "n_mated": curve.n_mated,
        "n_non_mated": curve.n_non_mated,
        "acquisition": comparisons.acquisition.to_json(),
        "eer": _eer(people, curve),
        "auc": {**rates.auc().to_json(), "value": curve.auc},
        "operating_points": [_point(people, curve, limit) for limit in FMR_LIMITS],
        "versions": software_versions(),
    }
    threshold = Request("eer").find(rates.curve) if file is None else file.threshold
    values |= _by_kind(comparisons, file, threshold)
    if cohorts:
        values["cohorts"] = _cohorts(people, threshold, cohorts)
    if len(people) <= MAX_PAIRS_FOR_ACCURACY and people.person is None:
        values["accuracy"] = _accuracy(people)
    if file is not None:
        values["threshold"] = _threshold(people, file)
    return values


def _by_kind(comparisons: Comparisons, file: ThresholdFile | None, threshold: float) -> dict:
    """Errors by kind of pair, and what refuses fakes; nothing where nothing says what pairs are made of."""
    kinds = errors_by_kind(comparisons.trials, threshold)
    if not kinds:
        return {}
    values = {"kinds": {"threshold": threshold, "rows": [_kind(kind) for kind in kinds]}}
    if file is not None and file.check is not None:
        values["bona_fide"] = _bona_fide(comparisons, file.check)
    return values


def without_fakes(comparisons: Comparisons, file: ThresholdFile | None) -> Comparisons:
    """The comparisons that error rates are told of: without fakes where the threshold keeps these apart."""
    return comparisons if file is None or file.check is None else comparisons.of_people


def _eer(comparisons: Comparisons, curve: ErrorCurve) -> dict:
    eer = curve.eer()
    estimate = comparisons.rates.eer()
    threshold = eer.threshold if math.isfinite(eer.threshold) else None
    definitions = {name: getattr(eer, name) for name in ("mean_at_nearest", "fnmr_at_nearest", "fvc2000")}
    return {"interpolated": {**estimate.to_json(), "value": eer.interpolated}, **definitions, "threshold": threshold}


def _point(comparisons: Comparisons, curve: ErrorCurve, limit: float) -> dict:
    point = curve.operating_point(limit)
    listed = comparisons.rates.curve.operating_point(limit)
    estimate = comparisons.rates.fnmr_at_fmr(listed)
    return {
        "fmr_limit": limit,
        "fmr": _or_none(point.fmr),
        "threshold": _or_none(point.threshold),
        "fnmr": {**estimate.to_json(), "value": _or_none(point.fnmr), "note": _note(point, listed)},
        "n_needed": point.n_needed,
        "n_well": point.n_well,
    }


def _note(point: OperatingPoint, listed: OperatingPoint) -> str:
    if point.is_supported and not listed.is_supported:
        return "no interval: too few of the pairs are listed"
    return point.note


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _cohorts(comparisons: Comparisons, threshold: float, cohorts: Mapping[str, pd.Categorical]) -> list[dict]:
    """Errors by cohort at a threshold, and at those for each FMR that the comparisons can bear."""
    points = [comparisons.rates.curve.operating_point(limit) for limit in FMR_LIMITS]
    sweep = {point.fmr_limit: point.threshold for point in points if point.is_supported}
    found = [compare_cohorts(name, comparisons.trials, of_row, threshold, sweep) for name, of_row in cohorts.items()]
    return [one.to_json() for one in found]


def _kind(kind: KindErrors) -> dict:
    counts = {name: getattr(kind, name) for name in ("kind", "n_mated", "n_non_mated", "n_non_mated_lost")}
    return {**counts, **{name: getattr(kind, name).to_json() for name in ("eer", "fmr", "fnmr")}}


def _bona_fide(comparisons: Comparisons, check: BonaFideCheck) -> dict:
    """What the check is, and the EER of each kind without it."""
    alone = replace(comparisons.trials, similarity=comparisons.alone)
    return {
        "embedder_digest": check.head.spec.embedder_digest,
        "extraction": extraction_command(check.head.spec),
        "eer_alone": {kind.kind: kind.eer.to_json() for kind in errors_by_kind(alone, threshold=0.0)},
    }


def _accuracy(comparisons: Comparisons) -> dict:
    try:
        found = cross_validated_accuracy(comparisons.trials, fold=comparisons.fold)
    except ValueError as error:
        return {**Estimate(math.nan, note=str(error)).to_json(), "n_folds": 0}
    estimate = mean_with_interval(found.is_correct, comparisons.trials)
    return {
        **estimate.to_json(),
        "standard_error": found.standard_error,
        "folds": "the list's" if comparisons.fold is not None else "drawn over identities",
        "n_folds": len(found.thresholds),
        "thresholds": list(found.thresholds),
        "note": "comparisons that could not be made count as errors",
    }


def _threshold(comparisons: Comparisons, file: ThresholdFile) -> dict:
    rates, acquisition = comparisons.rates, comparisons.acquisition
    fmr, fnmr = rates.fmr(file.threshold), rates.fnmr(file.threshold)
    similarity = rates.trials.similarity
    unsure = (similarity >= file.unsure_low) & (similarity < file.unsure_high)
    return {
        "value": file.threshold,
        "request": str(file.request),
        "unsure": [file.unsure_low, file.unsure_high],
        "share_unsure": {
            name: float(unsure[rates.trials.is_mated == kind].mean())
            for name, kind in (("mated", True), ("non_mated", False))
        },
        "fmr": fmr.to_json(),
        "fnmr": fnmr.to_json(),
        "frr": acquisition.frr(fnmr.value),
        "far": acquisition.far(fmr.value),
        "tuned_on": file.tuned_on.to_json(),
    }


def markdown(values: dict) -> str:
    """The report as Markdown, without pictures."""
    return document_as_markdown(verification_document(values))


def write_report(folder: Path, values: dict, pictures: Sequence[Picture] = (), examples: Sequence[Block] = ()) -> None:
    """Write the measurements as JSON and Markdown into a folder, with pictures also as one HTML file."""
    write_text(folder / JSON_NAME, json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    write_document(folder, NAME, verification_document(values, pictures, examples), with_html=bool(pictures))
