"""What is explained, as one number for each embedding: the decision of a head, or the similarity to another face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from faceheads.fitted_head import Head
from faceheads.headfile import HeadFile
from faceheads.targets import MULTILABEL, REGRESSION
from faceheads.verification.scores.base import PairScore

#: Probabilities nearer to 0 or 1 do not change the log-odds any more.
_SMALLEST_PROBABILITY = 1e-9
#: Step of the differences, in root mean squares of the embedding's numbers.
_STEP = 1e-2


class Decision(Protocol):
    """A number that pixels can raise or lower.

    Attributes
    ----------
    name : str
        Such as ``"gender = male"`` or ``"age"``.
    unit : str
    """

    name: str
    unit: str

    def score(self, embeddings: np.ndarray) -> np.ndarray:
        """Numbers of shape (n,), float64, of embeddings (n, dimension)."""
        ...

    def gradient(self, embeddings: np.ndarray) -> np.ndarray:
        """Their gradients, shape (n, dimension), float64."""
        ...


class DifferencedDecision:
    """A decision by any function of the embedding: its gradient is taken by central differences, which for the few hundred
    numbers of an embedding is one call.
    """

    def score(self, embeddings: np.ndarray) -> np.ndarray:
        """See :class:`Decision`."""
        raise NotImplementedError

    def gradient(self, embeddings: np.ndarray) -> np.ndarray:
        """See :class:`Decision`."""
        embeddings = np.asarray(embeddings, np.float64)
        n, dimension = embeddings.shape
        step = _STEP * np.sqrt((embeddings**2).mean())
        moves = step * np.eye(dimension)
        moved = embeddings[:, None, None, :] + np.stack([moves, -moves])[None]
        scores = self.score(moved.reshape(-1, dimension)).reshape(n, 2, dimension)
        return (scores[:, 0] - scores[:, 1]) / (2 * step)


@dataclass(frozen=True, eq=False)
class HeadDecision(DifferencedDecision):
    """What a scikit-learn head decided about a face: the logarithm of the odds of the decided class, or the number itself.

    Attributes
    ----------
    name, unit : str
    raw : callable
        Embeddings (n, dimension) → probabilities of the decided class, or numbers, shape (n,).
    is_probability : bool
    """

    name: str
    unit: str
    raw: Callable[[np.ndarray], np.ndarray]
    is_probability: bool

    def score(self, embeddings: np.ndarray) -> np.ndarray:
        """See :class:`Decision`."""
        raw = np.asarray(self.raw(embeddings), np.float64)
        if not self.is_probability:
            return raw
        p = np.clip(raw, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
        return np.log(p) - np.log1p(-p)


@dataclass(frozen=True, eq=False)
class SimilarityDecision:
    """How similar a face is to another one: the cosine of the angle between their embeddings, or minus their distance.

    Attributes
    ----------
    other : ndarray of shape (dimension,)
        The other embedding.
    name : str
    unit : str
    metric : {"cosine", "euclidean"}
    """

    other: np.ndarray
    name: str = "similarity"
    unit: str = ""
    metric: str = "cosine"

    def score(self, embeddings: np.ndarray) -> np.ndarray:
        """See :class:`Decision`."""
        if self.metric == "euclidean":
            return -np.linalg.norm(self._away(embeddings), axis=1)
        return _unit(embeddings) @ _unit(self.other)

    def gradient(self, embeddings: np.ndarray) -> np.ndarray:
        """See :class:`Decision`: of x·y/|x||y| it is (ŷ − cos · x̂) / |x|, of −|x − y| it is (y − x) / |x − y|."""
        if self.metric == "euclidean":
            away = self._away(embeddings)
            length = np.linalg.norm(away, axis=1, keepdims=True)
            return -away / np.where(length == 0, 1, length)
        length = np.linalg.norm(embeddings, axis=1, keepdims=True)
        cosine = self.score(embeddings)[:, None]
        return (_unit(self.other) - cosine * _unit(embeddings)) / length

    def _away(self, embeddings: np.ndarray) -> np.ndarray:
        return np.asarray(embeddings, np.float64) - self.other


@dataclass(frozen=True, eq=False)
class ScoreDecision(DifferencedDecision):
    """How similar a face is to another one by a score that was fitted to other people.

    Attributes
    ----------
    pair_score : PairScore
        Fitted.
    other : ndarray of shape (n_features,)
        The other face as the score takes it.
    quality : ndarray of shape (n_qualities,)
        What the score takes behind the vector of this face; it stays as it is whatever happens to the pixels.
    name : str
    unit : str
    """

    pair_score: PairScore
    other: np.ndarray
    quality: np.ndarray
    name: str = "similarity"
    unit: str = ""

    def score(self, embeddings: np.ndarray) -> np.ndarray:
        """See :class:`Decision`."""
        faces = np.hstack([embeddings, np.tile(self.quality, (len(embeddings), 1))])
        other = self.pair_score.transform(self.other[None])
        return self.pair_score.compare(self.pair_score.transform(faces), np.repeat(other, len(faces), axis=0))


def _unit(vectors: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, np.float64)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def head_decision(file: HeadFile, target: str, embedding: np.ndarray) -> HeadDecision:
    """What a file of heads decides about one face, in one of its targets.

    Parameters
    ----------
    file : HeadFile
    target : str
        One of :attr:`HeadFile.targets`.
    embedding : array of shape (dimension,)
        Of the face: its decided class is what the pixels are asked about.

    Raises
    ------
    faceheads.headfile.HeadError
        If there is no such target.
    """
    (head,) = (head for head in file.select([target]).heads if target in head.target.columns)
    if head.target.task == REGRESSION:
        return HeadDecision(target, head.target.unit, head.raw, is_probability=False)
    predictions = file.predict(embedding[None], file.table_spec)
    (decided,) = (prediction.value[0] for prediction in predictions if prediction.target == target)
    return HeadDecision(f"{target} = {decided}", "", _probability_of(head, target, decided), is_probability=True)


def _probability_of(head: Head, target: str, decided: object) -> Callable[[np.ndarray], np.ndarray]:
    position = head.target.classes.index(decided)
    if head.target.task != MULTILABEL:
        return lambda embeddings: head.raw(embeddings)[:, position]
    column = head.target.columns.index(target)
    return lambda embeddings: np.abs(1 - position - head.raw(embeddings)[:, column])
