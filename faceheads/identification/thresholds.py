"""The threshold for a gallery, from a threshold file of comparisons of two faces.

A search in a gallery of n photos makes n comparisons, and finds a stranger in it if any of them is a false match; the
chance of that is at most n times the false match rate (Boole's inequality, whatever depends on what). So a false
positive identification rate (FPIR) of at most p takes the threshold whose FMR is p / n. A threshold file has the whole
curve, so that one file serves galleries of every size that its comparisons can bear.
``benchmarks/naming.py`` measures what FPIR comes of it on other people.

References
----------
ISO/IEC 19795-1:2021: FPIR. P. Grother, M. Ngan, K. Hanaoka, Face Recognition Vendor Test part 2: identification, NISTIR
8271, 2019: how FPIR grows with the gallery.
"""

from __future__ import annotations

from pathlib import Path

from ..verification.error_rates import comparisons_needed
from ..verification.threshold_file import ThresholdError, ThresholdFile

#: FPIR of names where nothing else is said.
DEFAULT_FPIR = 0.01
#: FMR of the threshold that groups are joined at: the best of DevTrain in ``benchmarks/grouping.py``.
GROUPING_FMR = 1e-4
#: For the default embedder, made by ``benchmarks/naming.py --save_threshold``.
DEFAULT_FILE = "dlib_threshold.json"


def default_threshold_path() -> Path:
    """The threshold file that ships with the project: dlib's network with flip, cosine, of LFW's DevTrain people."""
    return Path(__file__).parents[1] / "data" / DEFAULT_FILE


def threshold_at_fmr(file: ThresholdFile, fmr: float) -> float:
    """The lowest threshold of the file's curve whose FMR is at most ``fmr``.

    Raises
    ------
    ThresholdError
        If the comparisons of the file are too few to speak of it (rule of 3), or its points are of a fitted score.
    """
    refuse_score(file)
    needed = comparisons_needed(fmr)
    evidence = file.errors.evidence
    if evidence.n_non_mated < needed:
        raise ThresholdError(
            f"An FMR of {fmr:.2g} takes {needed:,} non-mated comparisons (rule of 3); the threshold file has "
            f"{evidence.n_non_mated:,}. Ask for a higher rate, or make a threshold file of more people."
        )
    return next(similarity for similarity, rate, _ in file.points if rate <= fmr)


def threshold_at_fpir(file: ThresholdFile, fpir: float, n_photos: int) -> float:
    """The threshold for searches in a gallery of ``n_photos`` with an FPIR of at most ``fpir``.

    Raises
    ------
    ValueError
        If ``fpir`` is not in (0, 1).
    ThresholdError
        If the comparisons of the file are too few for it.
    """
    if not 0 < fpir < 1:
        raise ValueError(f"an FPIR must be in (0, 1); got {fpir}.")
    return threshold_at_fmr(file, fpir / n_photos)


def highest_fpir(file: ThresholdFile, threshold: float, n_photos: int) -> float:
    """What the FPIR of a threshold is at most, in a gallery of ``n_photos``."""
    return min(1.0, n_photos * file.decide(threshold).fmr)


def refuse_score(file: ThresholdFile) -> None:
    """Refuse a threshold of a fitted score: people of a gallery are compared by the metric alone.

    Raises
    ------
    ThresholdError
    """
    if file.score is not None or file.check is not None:
        raise ThresholdError(
            f"Galleries and groups need a threshold of a plain similarity; this one is of the score {file.score_name!r}. "
            "Make one without --score and --bona_fide."
        )
