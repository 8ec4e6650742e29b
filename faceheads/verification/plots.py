"""Pictures of a set of comparisons: the DET curve and the histograms of similarity."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.stats import norm

from ..report.document import Picture
from ..report.style import BLUE, GUIDE, QUIET, SIZE, VERMILION, draw_png, look, shorten
from .comparisons import Comparisons
from .error_rates import ErrorCurve
from .scores.registry import PLAIN
from .threshold_file import ThresholdFile

_MAX_POINTS = 2000
_N_BINS = 80
#: Below this the axes of the DET curve end at 50 %.
_LOW_EER = 0.2
_TICKS = (1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95)
#: Higher than other charts: the scales of a DET curve are equal, and the legend of the similarities needs room.
_SIZE = (SIZE[0], 3.7)


def draw(comparisons: Comparisons, file: ThresholdFile | None, curve: ErrorCurve) -> tuple[Picture, ...]:
    """The pictures of a report.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    det = draw_png(partial(_draw_det, file=file, curve=curve), _SIZE)
    histogram = draw_png(partial(_draw_histogram, comparisons=comparisons, file=file), _SIZE)
    return (
        Picture("det", det, "Detection error trade-off: FNMR over FMR at every threshold, on normal scales."),
        Picture("similarities", histogram, "Similarities of mated and non-mated pairs, each kind for itself."),
    )


def _draw_det(figure, file: ThresholdFile | None, curve: ErrorCurve) -> None:
    axes = figure.subplots()
    eer = curve.eer().interpolated
    highest = 0.95 if eer > _LOW_EER else 0.5
    lowest = np.array([0.5 / curve.n_non_mated, 0.5 / curve.n_mated])  # less than one error: nothing to show
    shown = _shown_points(curve)
    axes.plot(norm.ppf(curve.fmr[shown]), norm.ppf(curve.fnmr[shown]), color=BLUE)
    diagonal = norm.ppf([lowest.min(), highest])
    axes.plot(diagonal, diagonal, color=GUIDE, linewidth=0.8, linestyle=":")
    axes.plot(*norm.ppf(np.maximum([eer, eer], lowest)), "o", color=QUIET, label=f"EER {100 * eer:.3g} %")
    if file is not None:
        fmr, fnmr = curve.rates_at(file.threshold)
        told = f"threshold {file.threshold:.4f}: FMR {100 * fmr:.2g} %, FNMR {100 * fnmr:.2g} %"
        axes.plot(*norm.ppf(np.clip([fmr, fnmr], lowest, highest)), "s", color=VERMILION, label=told)
    for axis, least, label in zip((axes.xaxis, axes.yaxis), lowest, ("FMR", "FNMR"), strict=True):
        ticks = [t for t in _TICKS if least <= t <= highest]
        axis.set_ticks(norm.ppf(ticks), [f"{100 * t:g} %" for t in ticks])
        axis.set_label_text(label)
        axis.axes.set(**{f"{axis.axis_name}lim": norm.ppf([least, highest])})
    axes.legend(loc="upper right")


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
    for i, (name, chosen) in enumerate(_parts(comparisons).items()):
        counts, _ = np.histogram(trials.similarity[chosen], edges)
        density = counts / max(counts.sum(), 1) / np.diff(edges)
        colour = look(i).colour
        axes.stairs(density, edges, color=colour, fill=True, alpha=0.25)
        axes.stairs(density, edges, color=colour, linestyle=look(i).line, label=f"{shorten(name)} ({counts.sum():,})")
    if file is not None:
        axes.axvspan(file.unsure_low, file.unsure_high, color="0.5", alpha=0.25, linewidth=0)
        axes.axvline(
            file.threshold, color="0.2", linewidth=1, label=f"threshold {file.threshold:.4f}, unsure around it"
        )
    axes.set_xlabel(_similarity_words(comparisons))
    axes.set_ylabel("density, each kind for itself")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for the legend
    axes.legend()


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
