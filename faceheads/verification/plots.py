"""Pictures of a set of comparisons: the DET curve and the histograms of similarity. matplotlib is imported here only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.stats import norm

from .comparisons import Comparisons
from .error_rates import ErrorCurve
from .scores.registry import PLAIN
from .threshold_file import ThresholdFile

DET_NAME, HISTOGRAM_NAME = "det.png", "similarities.png"
_MAX_POINTS = 2000
_N_BINS = 80
#: Below this the axes of the DET curve end at 50 %.
_LOW_EER = 0.2
_TICKS = (1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95)
#: Of a palette that colour-blind people can tell apart (Okabe and Ito): blue, vermilion, green, purple, orange.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")


class PlotError(ImportError):
    """matplotlib is missing; the message says how to get it or to do without."""


def draw(folder: Path, comparisons: Comparisons, file: ThresholdFile | None, curve: ErrorCurve) -> tuple[str, ...]:
    """Write the pictures into a folder; returns their names.

    Raises
    ------
    PlotError
        If matplotlib is not installed.
    """
    figure_class = require_matplotlib()
    det, histogram = figure_class(figsize=(6, 5.6), dpi=110), figure_class(figsize=(7, 4.2), dpi=110)
    _draw_det(det, file, curve)
    _draw_histogram(histogram, comparisons, file)
    folder.mkdir(parents=True, exist_ok=True)
    for figure, name in ((det, DET_NAME), (histogram, HISTOGRAM_NAME)):
        figure.tight_layout()
        figure.savefig(folder / name)
    return DET_NAME, HISTOGRAM_NAME


def require_matplotlib() -> type:
    """matplotlib's Figure.

    Raises
    ------
    PlotError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlotError(
            'The pictures of a report need matplotlib, which is not installed: pip install "faceheads[report]", or ask '
            "for the numbers alone with --no_pictures."
        ) from error
    return Figure


def _draw_det(figure, file: ThresholdFile | None, curve: ErrorCurve) -> None:
    axes = figure.subplots()
    eer = curve.eer().interpolated
    highest = 0.95 if eer > _LOW_EER else 0.5
    lowest = np.array([0.5 / curve.n_non_mated, 0.5 / curve.n_mated])  # less than one error: nothing to show
    shown = _shown_points(curve)
    axes.plot(norm.ppf(curve.fmr[shown]), norm.ppf(curve.fnmr[shown]), color=_COLOURS[0])
    diagonal = norm.ppf([lowest.min(), highest])
    axes.plot(diagonal, diagonal, color="0.6", linewidth=0.8, linestyle=":")
    axes.plot(*norm.ppf(np.maximum([eer, eer], lowest)), "o", color="0.3", label=f"EER {100 * eer:.3g} %")
    if file is not None:
        fmr, fnmr = curve.rates_at(file.threshold)
        told = f"threshold {file.threshold:.4f}: FMR {100 * fmr:.2g} %, FNMR {100 * fnmr:.2g} %"
        axes.plot(*norm.ppf(np.clip([fmr, fnmr], lowest, highest)), "s", color=_COLOURS[1], label=told)
    for axis, least, label in zip((axes.xaxis, axes.yaxis), lowest, ("FMR", "FNMR"), strict=True):
        ticks = [t for t in _TICKS if least <= t <= highest]
        axis.set_ticks(norm.ppf(ticks), [f"{100 * t:g} %" for t in ticks], fontsize=7)
        axis.set_label_text(label)
        axis.axes.set(**{f"{axis.axis_name}lim": norm.ppf([least, highest])})
    axes.set_title("Detection error trade-off", fontsize=11)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper right")


def _shown_points(curve: ErrorCurve) -> np.ndarray:
    """Positions of points, as many for few errors as for many, where both rates can be drawn: within (0, 1)."""
    of_fmr, of_fnmr = (
        np.geomspace(1, n, _MAX_POINTS // 2).astype(np.int64) for n in (curve.n_non_mated, curve.n_mated)
    )
    chosen = np.union1d(
        np.searchsorted(-curve.n_false_matches, -of_fmr), np.searchsorted(curve.n_false_non_matches, of_fnmr)
    )
    is_drawn = (curve.fmr[chosen] > 0) & (curve.fmr[chosen] < 1) & (curve.fnmr[chosen] > 0) & (curve.fnmr[chosen] < 1)
    return chosen[is_drawn]


def _draw_histogram(figure, comparisons: Comparisons, file: ThresholdFile | None) -> None:
    axes = figure.subplots()
    trials = comparisons.rates.trials
    edges = np.linspace(trials.similarity.min(), trials.similarity.max(), _N_BINS + 1)
    for colour, (name, chosen) in zip(_COLOURS, _parts(comparisons).items()):
        counts, _ = np.histogram(trials.similarity[chosen], edges)
        density = counts / max(counts.sum(), 1) / np.diff(edges)
        axes.stairs(density, edges, color=colour, fill=True, alpha=0.25)
        axes.stairs(density, edges, color=colour, label=f"{name} ({counts.sum():,})")
    if file is not None:
        axes.axvspan(file.unsure_low, file.unsure_high, color="0.5", alpha=0.25, linewidth=0)
        axes.axvline(
            file.threshold, color="0.2", linewidth=1, label=f"threshold {file.threshold:.4f}, unsure around it"
        )
    axes.set_xlabel(_similarity_words(comparisons))
    axes.set_ylabel("density, each kind for itself")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for the legend
    axes.set_title("Similarities of mated and non-mated pairs", fontsize=11)
    axes.legend(fontsize=7)


def _similarity_words(comparisons: Comparisons) -> str:
    if comparisons.score != PLAIN:
        return f"score {comparisons.score}"
    return "cosine similarity" if comparisons.metric == "cosine" else "minus the Euclidean distance"


def _parts(comparisons: Comparisons) -> dict[str, np.ndarray]:
    """Which trials each histogram shows: mated, non-mated, the latter by kind where there are several."""
    trials = comparisons.rates.trials
    kinds = [] if trials.kind is None else sorted({str(kind) for kind in trials.kind[~trials.is_mated]})
    if len(kinds) < 2:
        return {"mated": trials.is_mated, "non-mated": ~trials.is_mated}
    by_kind = {f"non-mated, {k}": ~trials.is_mated & (trials.kind.astype(str) == k) for k in kinds}
    return {"mated": trials.is_mated, **by_kind}
