"""Label values as the sets write them, turned into the project's words; what makes no sense becomes missing."""

from __future__ import annotations

import math
import re

import pandas as pd

from .base import Problem

_GENDERS = {"male": "male", "m": "male", "man": "male", "female": "female", "f": "female", "woman": "female"}

_BAND = re.compile(r"\(?\s*([0-9]{1,3})\s*(?:[-,]\s*([0-9]{1,3})\s*)?\)?", re.ASCII)
_OPEN_BAND = re.compile(r"(?:more than\s*([0-9]{1,3})|([0-9]{1,3})\s*\+)", re.ASCII)

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?|nan", re.ASCII | re.IGNORECASE)
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_TRUTH = {"true": True, "false": False}

#: Columns that are names even where they look like numbers.
TEXT_COLUMNS = frozenset({"path", "identity", "split"})

#: Ages above this are typing errors; the oldest person on record reached 122 years.
MAX_AGE_YEARS = 122


def gender_of(text: str) -> str | None:
    """``"male"``, ``"female"``, or None for anything else; letters of either case, whole words or initials."""
    return _GENDERS.get(text.strip().lower())


def age_of(text: str) -> float:
    """An age in years between 0 and 122, or NaN if the text is no such number."""
    years = number_of(text)
    return years if 0 <= years <= MAX_AGE_YEARS else math.nan


def age_band_of(text: str) -> tuple[float, float]:
    """The ends of an age band in years, both included.

    Parameters
    ----------
    text : str
        ``"20-29"``, ``"(25, 32)"``, ``"35"``, ``"more than 70"`` or ``"70+"``.

    Returns
    -------
    tuple of float
        Lowest and highest age; the highest is NaN for an open band, both are NaN if the text is no band.
    """
    closed = _BAND.fullmatch(text.strip())
    if closed:
        low = float(closed[1])
        return low, float(closed[2]) if closed[2] else low
    opened = _OPEN_BAND.fullmatch(text.strip().lower())
    if opened:
        return float(opened[1] if opened[1] else opened[2]), math.nan
    return math.nan, math.nan


def age_band_columns(texts: pd.Series) -> dict[str, pd.Series]:
    """The columns ``age_band``, ``age_low`` and ``age_high`` for a column of bands; ``"(25, 32)"`` reads ``"25-32"``."""
    ends = {text: age_band_of(text) for text in texts.unique()}
    names = {text: band_name(text, *ends[text]) for text in ends}
    return {
        "age_band": texts.map(names),
        "age_low": texts.map({text: low for text, (low, _) in ends.items()}).astype(float),
        "age_high": texts.map({text: high for text, (_, high) in ends.items()}).astype(float),
    }


def band_name(text: str, low: float, high: float) -> str | None:
    """One way to write each band: ``"25-32"``, ``"35"``; open bands as published; None for what is no band."""
    if math.isnan(low):
        return None
    if math.isnan(high):
        return text.strip()
    return f"{low:.0f}" if low == high else f"{low:.0f}-{high:.0f}"


def number_of(text: str) -> float:
    """The number that a text holds, or NaN; words such as ``inf`` are no numbers here."""
    bare = text.strip()  # str.strip takes more off than float does, such as \x1f
    return float(bare) if _NUMBER.fullmatch(bare) else math.nan


def whole_number_of(text: str) -> int | None:
    """The whole number from 0 that a text of at most nine digits holds, or None."""
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """A table of strings with numbers and truth values in the columns that hold nothing else; empty is missing."""
    return pd.DataFrame({name: _typed_column(name, table[name]) for name in table.columns}, index=table.index)


def _typed_column(name: str, texts: pd.Series) -> pd.Series:
    known = texts[texts != ""]
    with_gaps = texts.where(texts != "")
    if name in TEXT_COLUMNS or known.empty:
        return with_gaps
    if all(map(_NUMBER.fullmatch, known)):
        return pd.to_numeric(with_gaps)
    if known.str.lower().isin(_TRUTH).all():
        return texts.str.lower().map(_TRUTH)
    return with_gaps


def unreadable(texts: pd.Series, values: pd.Series, column: str, source: str) -> list[Problem]:
    """A problem for every text that is not empty and yet has no value; both series are indexed by path."""
    bad = values.isna() & (texts.str.strip() != "")
    return [Problem(path, f"{column} in {source} cannot be read: {text!r}") for path, text in texts[bad].items()]
