"""What a head says about faces."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Prediction:
    """One target for every face.

    Attributes
    ----------
    target : str
        The label column that the head learned.
    classes : tuple
        The classes in the order of ``probabilities``; empty for a number.
    probabilities : ndarray of shape (n_faces, n_classes), float64
        In [0, 1], each row sums to 1; shape (n_faces, 0) for a number.
    value : ndarray of shape (n_faces,)
        The decided class (object), or the number (float64, in ``unit``).
    is_unsure : ndarray of shape (n_faces,), bool
        Whether the decision is nearer than the head's margin to another one; always False for a number.
    unit : str
        Unit of a number; may be empty.
    typical_error : float
        Mean absolute error on the held-out part, in ``unit``; NaN for classes.
    """

    target: str
    classes: tuple
    probabilities: np.ndarray
    value: np.ndarray
    is_unsure: np.ndarray
    unit: str = ""
    typical_error: float = math.nan

    @property
    def is_number(self) -> bool:
        """Whether the target is a number rather than a class."""
        return not self.classes

    def probability_of(self, value: object) -> np.ndarray:
        """Probability of one class, shape (n_faces,).

        Raises
        ------
        ValueError
            If it is none of the classes.
        """
        if value not in self.classes:
            raise ValueError(f"The classes of {self.target!r} are {list(self.classes)}; got {value!r}.")
        return self.probabilities[:, self.classes.index(value)]

    @property
    def confidence(self) -> np.ndarray:
        """Probability of the decided class, shape (n_faces,); NaN for a number."""
        if self.is_number:
            return np.full(len(self.value), np.nan)
        position = {c: i for i, c in enumerate(self.classes)}
        return self.probabilities[np.arange(len(self.value)), [position[v] for v in self.value]]


def number(target: str, values: np.ndarray, unit: str, typical_error: float) -> Prediction:
    """The prediction of a regression head."""
    values = np.asarray(values, np.float64)
    nothing = np.empty((len(values), 0))
    return Prediction(target, (), nothing, values, np.zeros(len(values), bool), unit, typical_error)


def decide(
    target: str, classes: tuple, probabilities: np.ndarray, threshold: float | np.ndarray, margin: float
) -> Prediction:
    """The prediction of a classification head.

    Parameters
    ----------
    target : str
    classes : tuple
    probabilities : array of shape (n_faces, n_classes)
    threshold : float or array of shape (n_faces,)
        With two classes the second is decided when its probability is at least this; else the most probable is.
    margin : float
        A decision is unsure when changing the difference of the two best probabilities by less than this changes it.
    """
    p = np.asarray(probabilities, np.float64)
    position = decided_positions(p, threshold)
    if p.shape[1] == 2:
        is_unsure = 2 * np.abs(p[:, 1] - threshold) < margin
    else:
        best = np.sort(p, axis=1)
        is_unsure = best[:, -1] - best[:, -2] < margin
    value = np.empty(len(p), object)
    value[:] = [classes[i] for i in position]
    return Prediction(target, classes, p, value, is_unsure)


def decided_positions(probabilities: np.ndarray, threshold: float | np.ndarray) -> np.ndarray:
    """Position of the decided class of every row; with two classes the second when it reaches ``threshold``."""
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] >= threshold).astype(np.int64)
    return probabilities.argmax(axis=1)
