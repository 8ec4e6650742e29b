"""What was measured on comparisons, as a document: the same as Markdown, in the terminal and on the page.

It is made from the JSON values of :func:`faceheads.verification.report.measure`, so that all say the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..report.document import (
    Block,
    Command,
    Document,
    Figure,
    Headline,
    Measured,
    Note,
    Picture,
    Pictures,
    Section,
    Table,
    Text,
)
from .cohort_blocks import cohort_blocks
from .scores.registry import PLAIN
from .trials import FAKE

#: The FMR limit whose FNMR is read first.
_HEADLINE_FMR = 1e-3


def verification_document(values: dict, pictures: Sequence[Picture] = (), examples: Sequence[Block] = ()) -> Document:
    """The report of a set of comparisons.

    Parameters
    ----------
    values : dict
        As :func:`faceheads.verification.report.measure` gives them.
    pictures : sequence of Picture
    examples : sequence of Block
        Pairs to look at.
    """
    sections = [
        Section("In short", (Headline(tuple(_headline(values))),)),
        Section("Data", tuple(_data(values))),
        Section("Error rates", tuple(_rates(values, pictures))),
        *[
            Section(title, tuple(blocks(values)))
            for name, (title, blocks) in _PARTS.items()
            if values.get(name) is not None
        ],
        *([Section("Worst pairs", tuple(examples))] if examples else []),
        *([Section("Embeddings", tuple(_embeddings(values)))] if values["extraction"] is not None else []),
    ]
    versions = ", ".join(f"{name} {version}" for name, version in values["versions"].items())
    return Document("Verification", _told(values), tuple(sections), f"Software: {versions}")


def _told(values: dict) -> str:
    return (
        f"{values['source']}: {values['n_mated']:,} mated and {values['n_non_mated']:,} non-mated comparisons of "
        f"{values['n_identities']:,} people, similarity {values['metric']}{_score_words(values['score'])}."
    )


def _score_words(score: str) -> str:
    return "" if score == PLAIN else f", score {score}"


def _data(values: dict) -> list[Block]:
    lost = values["acquisition"]
    statuses = ", ".join(f"{n} {status}" for status, n in lost["status_counts"].items())
    failed = (
        f"Failure to acquire: {lost['n_images_lost']:,} of {lost['n_images']:,} images ({_percent(lost['fta'])}; "
        f"{statuses}); {lost['n_mated_lost']:,} of {lost['n_mated']:,} mated and {lost['n_non_mated_lost']:,} of "
        f"{lost['n_non_mated']:,} non-mated comparisons could not be made. They are in no rate below, except in "
        "accuracy, FRR and FAR."
    )
    return [Text(failed), *(Note(f"Remark: {remark}.") for remark in values["remarks"])]


def _rates(values: dict, pictures: Sequence[Picture]) -> list[Block]:
    shown = [Pictures(tuple(pictures))] if pictures else []
    return [_rate_table(values), *shown, _point_table(values)]


def _headline(values: dict) -> list[Figure]:
    figures = [
        Figure("EER", _measured(values["eer"]["interpolated"]), "FMR = FNMR"),
        *_eer_of_fakes(values),
        Figure("AUC", _measured(values["auc"], "{:.5f}")),
    ]
    if "accuracy" in values and values["accuracy"]["value"] is not None:
        accuracy = values["accuracy"]
        figures.append(Figure("accuracy", _measured(accuracy), f"{accuracy['n_folds']} folds; lost faces are errors"))
    for point in values["operating_points"]:
        if point["fmr_limit"] == _HEADLINE_FMR and point["fnmr"]["value"] is not None:
            figures.append(Figure(f"FNMR at FMR {_HEADLINE_FMR:g}", _measured(point["fnmr"])))
    return figures


def _eer_of_fakes(values: dict) -> list[Figure]:
    """The EER against fakes where these are kept apart."""
    if values.get("bona_fide") is None:
        return []
    return [
        Figure("EER, fakes", _measured(kind["eer"]), "against pairs with a fake")
        for kind in values["kinds"]["rows"]
        if kind["kind"] == FAKE
    ]


def _rate_table(values: dict) -> Table:
    eer = values["eer"]
    rows = [
        ("EER, interpolated", _measured(eer["interpolated"])),
        ("EER, (FMR + FNMR) / 2 where they are nearest", Measured(_percent(eer["mean_at_nearest"]))),
        ("EER, FNMR where they are nearest (Kryptonite's)", Measured(_percent(eer["fnmr_at_nearest"]))),
        ("EER, FVC2000's (pyeer's)", Measured(_percent(eer["fvc2000"]))),
        ("AUC", _measured(values["auc"], "{:.5f}")),
    ]
    if "accuracy" in values:
        rows.append(_accuracy_row(values["accuracy"]))
    return Table(("", "value [95 % interval]"), tuple(rows))


def _accuracy_row(accuracy: dict) -> tuple[str, str | Measured]:
    if accuracy["value"] is None:
        return "accuracy", f"undefined: {accuracy['note']}"
    folds = f"{accuracy['n_folds']} folds, {accuracy['folds']}; standard error {_percent(accuracy['standard_error'])}"
    return f"accuracy ({folds})", _measured(accuracy)


def _point_table(values: dict) -> Table:
    rows = []
    for point in values["operating_points"]:
        threshold = "" if point["threshold"] is None else f"{point['threshold']:.4f}"
        rows.append((f"{point['fmr_limit']:g}", _measured(point["fnmr"]), threshold, point["fnmr"]["note"]))
    return Table(("FMR at most", "FNMR [95 % interval]", "threshold", ""), tuple(rows))


def _kinds(values: dict) -> list[Block]:
    rows = [
        (k["kind"], f"{k['n_non_mated']:,}", _measured(k["eer"]), _measured(k["fmr"])) for k in values["kinds"]["rows"]
    ]
    header = ("kind of non-mated pair", "made", "EER", f"FMR at {values['kinds']['threshold']:.4f}")
    check = values.get("bona_fide")
    if check is None:
        return [Table(header, tuple(rows))]
    alone = [_measured(check["eer_alone"][row[0]]) for row in rows]
    told = Text(
        "Photos are looked at for fakes too, and a pair matches only where neither is one; pairs with a fake are in no other "
        f"table. The vectors that the bona fide head takes (embedder digest {check['embedder_digest']}) are made by:"
    )
    both = tuple((*row, without) for row, without in zip(rows, alone, strict=True))
    return [Table((*header, "EER of the similarity alone"), both), told, Command(check["extraction"])]


def _threshold(values: dict) -> list[Block]:
    t, tuned = values["threshold"], values["threshold"]["tuned_on"]
    low, high = t["unsure"]
    share = t["share_unsure"]
    rows = [
        ("FMR", _measured(tuned["fmr"]), _measured(t["fmr"])),
        ("FNMR", _measured(tuned["fnmr"]), _measured(t["fnmr"])),
        ("FAR, lost comparisons rejected", "", Measured(_percent(t["far"]))),
        ("FRR, lost comparisons rejected", "", Measured(_percent(t["frr"]))),
    ]
    told = (
        f"Threshold {t['value']:.4f}, asked for by {t['request']}; unsure from {low:.4f} to {high:.4f} "
        f"({_percent(share['mated'])} of mated, {_percent(share['non_mated'])} of non-mated comparisons)."
    )
    return [Text(told), Table(("", f"tuned on {tuned['n_identities']:,} people", "reported here"), tuple(rows))]


def _cohorts(values: dict) -> list[Block]:
    return cohort_blocks(values["cohorts"], _measured)


def _embeddings(values: dict) -> list[Block]:
    told = f"Embedder digest {values['embedder_digest']}. Such vectors are made by:"
    return [Text(told), Command(values["extraction"])]


#: Parts that not all reports have: their title and what makes them.
_PARTS = {
    "kinds": ("By kind of pair", _kinds),
    "threshold": ("Threshold", _threshold),
    "cohorts": ("Cohorts", _cohorts),
}


def _percent(value: float | None) -> str:
    return "undefined" if value is None else f"{100 * value:.3g} %"


def _measured(values: dict, form: str = "") -> Measured:
    if values["value"] is None:
        return Measured("refused")
    tell = form.format if form else _percent
    if values["low"] is None:
        return Measured(tell(values["value"]))
    low, high = tell(values["low"]), tell(values["high"])
    return Measured(tell(values["value"]), f"{low.removesuffix(' %')}, {high.removesuffix(' %')}")
