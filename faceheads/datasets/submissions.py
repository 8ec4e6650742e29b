"""The files that two challenges take: predictions joined by key, never by position, and counted before they are written."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..atomic import write_text
from .values import whole_number_of

#: Digits of a pair's number in Kryptonite's files.
PAIR_ID_DIGITS = 8


def write_idemia_submission(file: str | os.PathLike, predictions: pd.Series, listed: Sequence[str]) -> None:
    """Write one prediction a line, 1 or -1, in the order of the test list; no header, no names.

    Parameters
    ----------
    file : path
    predictions : pandas.Series
        Index = path of the image; values 0 and 1, false and true, or -1 and 1.
    listed : sequence of str
        The images in the order of ``test.txt``, as ``idemia.read_test_list`` gives them.

    Raises
    ------
    ValueError
        If an image has no prediction or two, a prediction is for no listed image, or a value is not one of the above.
    """
    _check_keys(predictions.index, listed, "image")
    values = predictions.reindex(list(listed))
    strange = values[~values.isin([-1, 0, 1])]
    if len(strange):
        raise ValueError(f"a prediction must be -1, 0 or 1; got {strange.iloc[0]!r} for {strange.index[0]!r}.")
    write_text(Path(file), "".join("1\n" if value == 1 else "-1\n" for value in values))


def write_kryptonite_submission(
    file: str | os.PathLike, similarity: pd.Series, pair_ids: Sequence[int | str] | None = None
) -> None:
    """Write ``pair_id,similarity``, one line a pair, sorted by pair; the number has eight digits.

    Parameters
    ----------
    file : path
    similarity : pandas.Series
        Index = number of the pair (or its folder's name); values: higher is more alike.
    pair_ids : sequence of int or str, optional
        The pairs that there must be, each once.

    Raises
    ------
    ValueError
        If pairs are missing, repeated, too many, no whole numbers below 10^8, or a similarity is not finite.
    """
    keys = [_pair_number(pair) for pair in similarity.index]
    _check_keys(pd.Index(keys), keys if pair_ids is None else [_pair_number(pair) for pair in pair_ids], "pair")
    lines = ["pair_id,similarity\n"]
    for number, value in sorted(zip(keys, similarity)):
        if not math.isfinite(value):
            raise ValueError(f"a similarity must be finite; got {value} for pair {number}. Score failures lowest.")
        lines.append(f"{number:0{PAIR_ID_DIGITS}d},{float(value)!r}\n")
    write_text(Path(file), "".join(lines))


def _pair_number(pair: int | str) -> int:
    number = whole_number_of(str(pair))
    if number is None or number >= 10**PAIR_ID_DIGITS:
        raise ValueError(f"a pair must be a whole number below 10^{PAIR_ID_DIGITS}; got {pair!r}.")
    return number


def _check_keys(given: pd.Index, listed: Sequence, what: str) -> None:
    wanted = pd.Index(list(listed))
    findings = {
        f"given twice: {list(given[given.duplicated()][:3])}": given.has_duplicates,
        f"listed twice: {list(wanted[wanted.duplicated()][:3])}": wanted.has_duplicates,
        f"without a value: {list(wanted.difference(given)[:3])}": not wanted.isin(given).all(),
        f"not listed: {list(given.difference(wanted)[:3])}": not given.isin(wanted).all(),
    }
    wrong = [finding for finding, is_wrong in findings.items() if is_wrong]
    if wrong:
        raise ValueError(
            f"each listed {what} must have one value; got {len(given)} values for {len(wanted)} listed. {'; '.join(wrong)}."
        )


def write_facecom_predictions(
    file: str | os.PathLike, truth: pd.Series, predicted: pd.Series, similarity: pd.Series | None = None
) -> None:
    """Write ``path,true,pred``, one line an image of the part that is scored, sorted by path; ``similarity`` if given.

    Parameters
    ----------
    file : path
    truth : pandas.Series
        Index = path of the image, each once; values: the gender of Task A, the person of Task B.
    predicted : pandas.Series
        The same index in any order; no value may be missing, for whatever fails counts as wrong, and "nobody" is a name.
    similarity : pandas.Series, optional
        The same index; empty in the file where it is not finite.

    Raises
    ------
    ValueError
        If an image has no prediction or two, or a prediction is for no image.
    """
    _check_keys(predicted.index, list(truth.index), "image")
    predicted = predicted.reindex(truth.index)
    missing = predicted[predicted.isna()]
    if len(missing):
        raise ValueError(
            f"each image must have a prediction; {len(missing)} have none, for example {missing.index[0]!r}."
        )
    frame = pd.DataFrame({"true": truth, "pred": predicted})
    if similarity is not None:
        _check_keys(similarity.index, list(truth.index), "image")
        frame["similarity"] = similarity.reindex(truth.index)
    frame.index = pd.Index(frame.index, name="path")
    write_text(Path(file), frame.sort_index().to_csv(lineterminator="\n"))
