"""What is known of each face, as degrees from 0 (no) to 1 (yes): from label columns, or predicted by heads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ..labels import LabelError
from ..prediction import Prediction
from ..targets import REGRESSION, Target, find_targets

#: A number is compared with at most this many limits: whole decades of ages, quantiles of other numbers.
MAX_LIMITS = 9
#: A name and the degrees of all faces, shape (n_faces,).
Named = tuple[str, np.ndarray]
#: Mean absolute error of a normal distribution of standard deviation 1.
_MEAN_ABSOLUTE_NORMAL = np.sqrt(2 / np.pi)


@dataclass(frozen=True, eq=False)
class Attributes:
    """Yes-or-no attributes of faces.

    Attributes
    ----------
    names : tuple of str
        Such as ``"gender = male"`` or ``"age >= 40"``.
    degrees : ndarray of shape (n_faces, n_attributes), float64
        0 and 1 where the attribute is known, a probability where it is predicted; NaN where it is unknown.
    """

    names: tuple[str, ...]
    degrees: np.ndarray

    @classmethod
    def collect(cls, columns: Iterable[Named]) -> Attributes:
        """Attributes of (name, degrees) pairs; those that are the same for every face say nothing and are left out.

        Raises
        ------
        LabelError
            If none is left.
        """
        telling = [(name, degrees) for name, degrees in columns if np.nanmax(degrees) > np.nanmin(degrees)]
        if not telling:
            raise LabelError("No attribute differs between the faces. Name other columns or another file of heads.")
        names, degrees = zip(*telling, strict=True)
        return cls(names, np.stack(degrees, axis=1).astype(np.float64))

    def beside(self, predicted: Attributes) -> Attributes:
        """These and predicted ones of the same faces; of a name that both have the second says that it is predicted."""
        names = (f"predicted {name}" if name in self.names else name for name in predicted.names)
        return Attributes((*self.names, *names), np.concatenate([self.degrees, predicted.degrees], axis=1))

    def of_faces(self, rows: np.ndarray) -> Attributes:
        """The attributes of some faces, given by positions or as bool of shape (n_faces,)."""
        return Attributes(self.names, self.degrees[rows])

    @property
    def is_complete(self) -> np.ndarray:
        """Faces of which every attribute is known, bool of shape (n_faces,)."""
        return np.isfinite(self.degrees).all(axis=1)


def from_labels(labels: pd.DataFrame, columns: Sequence[str]) -> Attributes:
    """Attributes that label columns state.

    Classes give an attribute each (one for two classes), ages and other numbers one for each limit.

    Parameters
    ----------
    labels : DataFrame of n_faces rows
    columns : sequence of str

    Raises
    ------
    LabelError
        If a column does not exist, or cannot be understood as classes or numbers.
    """
    targets, _ = find_targets(labels, list(columns))
    return Attributes.collect(pair for target in targets for pair in _of_target(target, labels))


def _of_target(target: Target, labels: pd.DataFrame) -> Iterator[Named]:
    for name in target.columns:
        column = labels[name]
        if target.task == REGRESSION:
            yield from _of_number(name, column.to_numpy(np.float64), target.unit)
            continue
        is_known = column.notna().to_numpy()
        for value in _told_apart(target.classes):
            degrees = np.where(is_known, (column == value).to_numpy(np.float64, na_value=np.nan), np.nan)
            yield _name(name, value, target.classes), degrees


def from_predictions(predictions: Iterable[Prediction]) -> Attributes:
    """Attributes that heads predict, as :meth:`faceheads.headfile.HeadFile.predict` gives them.

    A predicted number is taken for normally distributed around the prediction, with the head's mean absolute error.

    Raises
    ------
    LabelError
        If no attribute differs between the faces.
    """
    return Attributes.collect(pair for prediction in predictions for pair in _of_prediction(prediction))


def _of_prediction(prediction: Prediction) -> Iterator[Named]:
    name, classes = prediction.target, prediction.classes
    if prediction.is_number:
        error = prediction.typical_error if np.isfinite(prediction.typical_error) else 0.0
        yield from _of_number(name, prediction.value, prediction.unit, error / _MEAN_ABSOLUTE_NORMAL)
        return
    for value in _told_apart(classes):
        yield _name(name, value, classes), prediction.probability_of(value)


def _told_apart(classes: tuple) -> tuple:
    """Classes that need an attribute of their own: of two, "not the second" is the first."""
    return classes[-1:] if len(classes) == 2 else classes


def _name(column: str, value: object, classes: tuple) -> str:
    is_yes_or_no = len(classes) == 2 and value in (1, True)
    return column if is_yes_or_no else f"{column} = {value}"


def _of_number(name: str, values: np.ndarray, unit: str, spread: float = 0.0) -> Iterator[Named]:
    """Degrees to which numbers reach each limit; ``spread`` is the standard deviation of their error."""
    for limit in _limits(values, unit):
        above = ndtr((values - limit) / spread) if spread > 0 else (values >= limit).astype(np.float64)
        yield f"{name} >= {limit:g}", np.where(np.isnan(values), np.nan, above)


def _limits(values: np.ndarray, unit: str) -> np.ndarray:
    parts = np.arange(1, MAX_LIMITS + 1)
    return 10.0 * parts if unit == "years" else np.unique(np.nanquantile(values, parts / (MAX_LIMITS + 1)))
