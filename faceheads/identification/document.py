"""What was measured on searches, as a document: the same as Markdown, in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from ..report.document import (
    Document,
    Measured,
    Picture,
    Pictures,
    Section,
    Table,
    Text,
)
from ..report.style import BLUE, VERMILION, draw_png
from ..verification.identification import Searches

_N_RANKS = 20
_RANK_TICKS = (1, 5, 10, 15, 20)
_PERCENT_TICKS = (0.01, 0.1, 1, 10, 100)
_MAX_POINTS = 1000


def identification_document(values: dict, pictures: Sequence[Picture] = ()) -> Document:
    """The report of searches.

    Parameters
    ----------
    values : dict
        As :func:`faceheads.identification.searches.measure_searches` gives them.
    pictures : sequence of Picture
    """
    rates = [_ranks(values), _points(values)]
    if pictures:
        rates.append(Pictures(tuple(pictures)))
    sections = [Section("Data", (_data(values),)), Section("Searches", tuple(rates))]
    if "threshold" in values:
        sections.append(Section("Threshold", tuple(_threshold(values))))
    if "kinds" in values:
        sections.append(Section("By kind of probe", (_kinds(values),)))
    versions = ", ".join(f"{name} {version}" for name, version in values["versions"].items())
    lead = f"{values['source']}: {values['n_mated']:,} searches for enrolled people, {values['n_non_mated']:,} for others."
    return Document("Identification", lead, tuple(sections), f"Software: {versions}")


def _data(values: dict) -> Table:
    rows = [
        (name, f"{v['n_people']:,}", f"{v['n_images']:,}", f"{v['n_without_face']:,}", _statuses(v))
        for name, v in (("gallery", values["gallery"]), ("probes", values["probes"]))
    ]
    caption = "Images without a face are misses: those of the gallery for every search of their person."
    return Table(("", "people", "images", "without a face", "status"), tuple(rows), caption)


def _statuses(counts: dict) -> str:
    return ", ".join(f"{n:,} {status}" for status, n in counts["status_counts"].items())


def _ranks(values: dict) -> Table:
    rows = tuple((f"rank {v['rank']}", _measured(v)) for v in values["ranks"])
    return Table(("", "hit rate"), rows, "Share of searches for enrolled people that have them so early.")


def _points(values: dict) -> Table:
    rows = tuple(
        (
            f"{point['fpir_limit']:g}",
            _measured(point["fnir"]),
            "" if point["threshold"] is None else f"{point['threshold']:.4f}",
            point["fnir"]["note"],
        )
        for point in values["operating_points"]
    )
    caption = "The thresholds are those of these very searches, so that the FNIR is a little too good."
    return Table(("FPIR at most", "FNIR", "threshold", ""), rows, caption)


def _threshold(values: dict) -> list:
    t = values["threshold"]
    asked = "" if t["request"] is None else f", from a threshold file ({t['request']})"
    rows = (
        ("FPIR: strangers who are given a name", _measured(t["fpir"])),
        ("FNIR: enrolled people who are not given theirs", _measured(t["fnir"])),
        ("macro F1 over people and nobody", _measured(t["macro_f1"])),
    )
    return [Text(f"Similarity of at least {t['value']:.4f}{asked}."), Table(("", "value"), rows)]


def _kinds(values: dict) -> Table:
    has_threshold = "threshold" in values
    rows = []
    for kind in values["kinds"]:
        fnir = (_measured(kind["fnir"]),) if has_threshold else ()
        rows.append(
            (kind["kind"], f"{kind['n_probes']:,}", f"{kind['n_without_face']:,}", _measured(kind["rank_1"]), *fnir)
        )
    header = ("kind", "probes", "without a face", "rank 1", *(("FNIR",) if has_threshold else ()))
    return Table(header, tuple(rows))


def _measured(values: dict) -> Measured:
    if values["value"] is None:
        return Measured("undefined")
    limits = "" if values["low"] is None else f"{100 * values['low']:.3g} to {100 * values['high']:.3g} %"
    return Measured(f"{100 * values['value']:.3g} %", limits)


# ------------------------------------------------------------------------------------------------- pictures


def draw_searches(searches: Searches, threshold: float | None = None) -> tuple[Picture, ...]:
    """The cumulative match characteristic, and FNIR over FPIR where there are searches of both kinds.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    cmc = Picture(
        "cmc",
        draw_png(partial(_draw_cmc, searches=searches)),
        "Cumulative match characteristic: share of searches whose person is among the first candidates.",
    )
    if searches.is_mated.all() or not searches.is_mated.any():
        return (cmc,)
    det = draw_png(partial(_draw_det, searches=searches, threshold=threshold))
    return cmc, Picture("open_set", det, "FNIR over FPIR at every threshold; the first candidate counts.")


def _draw_cmc(figure, searches: Searches) -> None:
    axes = figure.subplots()
    n_ranks = min(_N_RANKS, searches.n_people)
    rates = searches.cmc(n_ranks)
    axes.plot(np.arange(1, n_ranks + 1), 100 * rates, "o-", color=BLUE, markersize=3)
    axes.set_xticks([rank for rank in _RANK_TICKS if rank <= n_ranks])
    axes.set_xlabel("rank")
    axes.set_ylabel("found, %")
    axes.set_ylim(max(0, 100 * rates.min() - 5), 100.5)


def _draw_det(figure, searches: Searches, threshold: float | None) -> None:
    axes = figure.subplots()
    tops = np.sort(np.nan_to_num(searches.top_similarity[~searches.is_mated], nan=-np.inf))
    edges = np.unique(tops[np.isfinite(tops)])
    if len(edges) > _MAX_POINTS:
        edges = edges[np.linspace(0, len(edges) - 1, _MAX_POINTS).astype(int)]
    fpir = 1 - np.searchsorted(tops, edges) / len(tops)
    axes.plot(100 * fpir, [100 * searches.fnir(edge, 1) for edge in edges], color=BLUE)
    if threshold is not None:
        point = max(searches.fpir(threshold), 0.5 / len(tops)), searches.fnir(threshold, 1)
        axes.plot(100 * point[0], 100 * point[1], "s", color=VERMILION, label=f"threshold {threshold:.4f}")
        axes.legend()
    axes.set_xscale("log")
    shown = [tick for tick in _PERCENT_TICKS if tick >= 20 / len(tops)]
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.set_xlabel("FPIR, %")
    axes.set_ylabel("FNIR, %")
