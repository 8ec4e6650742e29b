"""What is measured on a set of comparisons, as JSON and as Markdown.

The Markdown is made from the JSON, so that both say the same.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from ..atomic import write_text
from ..metrics.intervals import Estimate
from ..versions import software_versions
from .accuracy import cross_validated_accuracy
from .comparisons import Comparisons
from .error_rates import FMR_LIMITS, ErrorCurve, OperatingPoint
from .kinds import KindErrors, errors_by_kind
from .rules import Request
from .scores.registry import PLAIN
from .threshold_file import ThresholdFile
from .uncertainty import mean_with_interval

JSON_NAME, MARKDOWN_NAME = "verification.json", "verification.md"
#: Accuracy is of lists of pairs, where both kinds are about equally many; folds of more pairs say nothing new.
MAX_PAIRS_FOR_ACCURACY = 100_000


def measure(comparisons: Comparisons, file: ThresholdFile | None = None, curve: ErrorCurve | None = None) -> dict:
    """Everything that is reported on comparisons, as JSON values.

    Parameters
    ----------
    comparisons : Comparisons
    file : ThresholdFile, optional
        A threshold to report the errors of.
    curve : ErrorCurve, optional
        Over more pairs than ``comparisons`` lists; the intervals still come from those.

    Raises
    ------
    ValueError
        If there are no mated or no non-mated comparisons that were made.
    """
    rates = comparisons.rates
    curve = rates.curve if curve is None else curve
    values = {
        "source": comparisons.source,
        "sha256": comparisons.sha256,
        "remarks": list(comparisons.remarks),
        "metric": comparisons.metric,
        "score": comparisons.score,
        "embedder_digest": None if comparisons.table.spec is None else comparisons.table.spec.embedder_digest,
        "n_identities": rates.shared.n_identities,
        "n_mated": curve.n_mated,
        "n_non_mated": curve.n_non_mated,
        "acquisition": comparisons.acquisition.to_json(),
        "eer": _eer(comparisons, curve),
        "auc": {**rates.auc().to_json(), "value": curve.auc},
        "operating_points": [_point(comparisons, curve, limit) for limit in FMR_LIMITS],
        "versions": software_versions(),
    }
    threshold = Request("eer").find(rates.curve) if file is None else file.threshold
    kinds = errors_by_kind(comparisons.trials, threshold)
    if kinds:
        values["kinds"] = {"threshold": threshold, "rows": [_kind(kind) for kind in kinds]}
    if len(comparisons) <= MAX_PAIRS_FOR_ACCURACY and comparisons.person is None:
        values["accuracy"] = _accuracy(comparisons)
    if file is not None:
        values["threshold"] = _threshold(comparisons, file)
    return values


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


def _kind(kind: KindErrors) -> dict:
    counts = {name: getattr(kind, name) for name in ("kind", "n_mated", "n_non_mated", "n_non_mated_lost")}
    return {**counts, **{name: getattr(kind, name).to_json() for name in ("eer", "fmr", "fnmr")}}


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


# ------------------------------------------------------------------------------------------------- Markdown


def markdown(values: dict) -> str:
    """The report as Markdown."""
    parts = [_head(values), _rates_text(values), _points_text(values)]
    parts += [text(values) for name, text in _PARTS.items() if name in values]
    parts.append("Software: " + ", ".join(f"{name} {version}" for name, version in values["versions"].items()))
    return "\n\n".join(parts) + "\n"


def _head(values: dict) -> str:
    lost = values["acquisition"]
    statuses = ", ".join(f"{n} {status}" for status, n in lost["status_counts"].items())
    told = (
        f"{values['source']}: {values['n_mated']:,} mated and {values['n_non_mated']:,} non-mated comparisons of "
        f"{values['n_identities']:,} people, similarity {values['metric']}{_score_words(values['score'])}."
    )
    failed = (
        f"Failure to acquire: {lost['n_images_lost']:,} of {lost['n_images']:,} images ({_percent(lost['fta'])}; "
        f"{statuses}); {lost['n_mated_lost']:,} of {lost['n_mated']:,} mated and {lost['n_non_mated_lost']:,} of "
        f"{lost['n_non_mated']:,} non-mated comparisons could not be made. They are in no rate below, except in "
        "accuracy, FRR and FAR."
    )
    remarks = [f"Remark: {remark}." for remark in values["remarks"]]
    return "\n\n".join(["# Verification", told, failed, *remarks])


def _score_words(score: str) -> str:
    return "" if score == PLAIN else f", score {score}"


def _rates_text(values: dict) -> str:
    eer = values["eer"]
    rows = [
        ("EER, interpolated", _with_interval(eer["interpolated"])),
        ("EER, (FMR + FNMR) / 2 where they are nearest", _percent(eer["mean_at_nearest"])),
        ("EER, FNMR where they are nearest (Kryptonite's)", _percent(eer["fnmr_at_nearest"])),
        ("EER, FVC2000's (pyeer's)", _percent(eer["fvc2000"])),
        ("AUC", _with_interval(values["auc"], "{:.5f}")),
    ]
    if "accuracy" in values:
        rows.append(_accuracy_row(values["accuracy"]))
    return _table(("", "value (95 % interval)"), rows)


def _accuracy_row(accuracy: dict) -> tuple[str, str]:
    if accuracy["value"] is None:
        return "accuracy", f"undefined: {accuracy['note']}"
    folds = f"{accuracy['n_folds']} folds, {accuracy['folds']}; standard error {_percent(accuracy['standard_error'])}"
    return f"accuracy ({folds})", _with_interval(accuracy)


def _points_text(values: dict) -> str:
    rows = []
    for point in values["operating_points"]:
        threshold = "" if point["threshold"] is None else f"{point['threshold']:.4f}"
        rows.append((f"{point['fmr_limit']:g}", _with_interval(point["fnmr"]), threshold, point["fnmr"]["note"]))
    return _table(("FMR at most", "FNMR (95 % interval)", "threshold", ""), rows)


def _kinds_text(values: dict) -> str:
    rows = [
        (k["kind"], f"{k['n_non_mated']:,}", _with_interval(k["eer"]), _with_interval(k["fmr"]))
        for k in values["kinds"]["rows"]
    ]
    header = ("kind of non-mated pair", "made", "EER", f"FMR at {values['kinds']['threshold']:.4f}")
    return _table(header, rows)


def _threshold_text(values: dict) -> str:
    t, tuned = values["threshold"], values["threshold"]["tuned_on"]
    low, high = t["unsure"]
    share = t["share_unsure"]
    rows = [
        ("FMR", _with_interval(tuned["fmr"]), _with_interval(t["fmr"])),
        ("FNMR", _with_interval(tuned["fnmr"]), _with_interval(t["fnmr"])),
        ("FAR, lost comparisons rejected", "", _percent(t["far"])),
        ("FRR, lost comparisons rejected", "", _percent(t["frr"])),
    ]
    told = (
        f"Threshold {t['value']:.4f}, asked for by {t['request']}; unsure from {low:.4f} to {high:.4f} "
        f"({_percent(share['mated'])} of mated, {_percent(share['non_mated'])} of non-mated comparisons)."
    )
    return told + "\n\n" + _table(("", f"tuned on {tuned['n_identities']:,} people", "reported here"), rows)


_PARTS = {"kinds": _kinds_text, "threshold": _threshold_text}


def _percent(value: float | None) -> str:
    return "undefined" if value is None else f"{100 * value:.3g} %"


def _with_interval(values: dict, form: str = "") -> str:
    shown = [_percent(values[name]) if not form else form.format(values[name]) for name in _limits_of(values)]
    if not shown:
        return "refused"
    return shown[0] if len(shown) == 1 else f"{shown[0]} ({shown[1]} to {shown[2]})"


def _limits_of(values: dict) -> tuple[str, ...]:
    if values["value"] is None:
        return ()
    return ("value",) if values["low"] is None else ("value", "low", "high")


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_report(folder: Path, values: dict, pictures: tuple[str, ...] = ()) -> None:
    """Write the measurements as JSON and Markdown into a folder; pictures are named in the Markdown."""
    write_text(folder / JSON_NAME, json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    shown = "".join(f"\n![{name.partition('.')[0]}]({name})\n" for name in pictures)
    write_text(folder / MARKDOWN_NAME, markdown(values) + shown)
