"""Errors of cohorts as tables of a document, from the JSON values of a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..report.document import Block, Cell, Heading, Measured, Note, Table

#: An estimate's JSON values, and a format (empty for percent), to a cell.
Cells = Callable[..., Measured]


def cohort_blocks(columns: Sequence[Mapping], measured: Cells) -> list[Block]:
    """The tables of each column: rates, measures of inequality, and rates at other thresholds.

    Parameters
    ----------
    columns : sequence of mapping
        As :meth:`faceheads.verification.cohort_errors.CohortComparison.to_json` gives them.
    measured : callable
    """
    return [block for values in columns for block in _blocks(values, measured)]


def _blocks(values: Mapping, measured: Cells) -> list[Block]:
    blocks: list[Block] = [Heading(f"By {values['column']}, at the threshold {values['threshold']:.4f}")]
    blocks.append(_rate_table(values, measured))
    if values["note"]:
        blocks.append(Note(f"Remark: {values['note']}."))
    if values["differentials"]:
        blocks.append(_measure_table(values["differentials"], measured))
    if values["sweep"] and values["sweep"][0]["fmr"]:
        blocks.append(_sweep_table(values["sweep"]))
    return blocks


def _rate_table(values: Mapping, measured: Cells) -> Table:
    rows = [
        (
            one["cohort"],
            f"{one['n_identities']:,}",
            f"{one['n_mated']:,}",
            _defined(one["fnmr"], measured),
            f"{one['n_non_mated']:,}",
            _defined(one["fmr"], measured),
        )
        for one in [*values["cohorts"], values["between"]]
    ]
    header = (values["column"], "people", "mated", "FNMR", "non-mated", "FMR")
    return Table(header, tuple(rows), "FMR is over pairs within a cohort.")


def _measure_table(differentials: Sequence[Mapping], measured: Cells) -> Table:
    rows = []
    for one in differentials:
        form = "" if one["name"] == "gap" else "{:.3g}"
        cells = ["" if one[name] is None else _defined(one[name], measured, form) for name in ("fmr", "fnmr", "both")]
        rows.append((one["name"], one["definition"], *cells))
    return Table(("measure", "definition", "FMR", "FNMR", "both"), tuple(rows))


def _sweep_table(sweep: Sequence[Mapping]) -> Table:
    names = list(sweep[0]["fmr"])
    rows = [
        (f"{point['fmr_limit']:g}", f"{point['threshold']:.4f}", *(_pair(point, name) for name in names))
        for point in sweep
    ]
    return Table(("FMR of all at most", "threshold", *(f"{name}: FMR, FNMR" for name in names)), tuple(rows))


def _pair(point: Mapping, name: str) -> str:
    return f"{100 * point['fmr'][name]:.3g} %, {100 * point['fnmr'][name]:.3g} %"


def _defined(estimate: Mapping, measured: Cells, form: str = "") -> Cell:
    return estimate["note"] if estimate["value"] is None else measured(estimate, form)
