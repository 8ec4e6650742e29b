"""Which rows make up the batches of an epoch: the same for the same seed and epoch, in every process."""

from __future__ import annotations

import numpy as np
import pandas as pd


def shuffled_batches(n_rows: int, batch_size: int, seed: int, epoch: int) -> np.ndarray:
    """Every row once, in random order; what does not fill a batch is left for another epoch.

    Returns
    -------
    ndarray of shape (n_batches, batch_size), int64
        One smaller batch where there are fewer rows than ``batch_size``.
    """
    order = _random(seed, epoch).permutation(n_rows)
    return _cut(order, batch_size)


def weighted_batches(weights: np.ndarray, batch_size: int, seed: int, epoch: int) -> np.ndarray:
    """As many rows as there are, drawn with probabilities proportional to ``weights``, with repetition."""
    weights = np.asarray(weights, np.float64)
    rows = _random(seed, epoch).choice(len(weights), len(weights), p=weights / weights.sum())
    return _cut(rows, batch_size)


def cell_weights(columns: pd.DataFrame) -> np.ndarray:
    """Weights with which every combination of values is drawn equally often, float64 of shape (n_rows,).

    Parameters
    ----------
    columns : DataFrame of n_rows rows
        Classes, or classes and cohorts.
    """
    code = columns.astype(str).groupby(list(columns), sort=True).ngroup().to_numpy()
    return 1 / np.bincount(code)[code]


def person_batches(
    person: np.ndarray, n_persons: int, n_photos: int, seed: int, epoch: int, is_fake: np.ndarray | None = None
) -> np.ndarray:
    """Batches of ``n_persons`` persons with ``n_photos`` rows each, every person once an epoch (P × K).

    Parameters
    ----------
    person : ndarray of shape (n_rows,)
    n_persons, n_photos : int
    seed, epoch : int
    is_fake : ndarray of shape (n_rows,), bool, optional
        A third of a person's rows, rounded up, are then fakes where the person has any.

    Returns
    -------
    ndarray of shape (n_batches, n_persons * n_photos), int64
        Who has fewer photos has some twice. Persons that do not fill a batch are left for another epoch.

    Raises
    ------
    ValueError
        If there are fewer persons than a batch needs.
    """
    random = _random(seed, epoch)
    names, code = np.unique(person, return_inverse=True)
    if len(names) < n_persons:
        raise ValueError(f"a batch of {n_persons} persons needs as many in the training part; got {len(names)}.")
    is_fake = np.zeros(len(code), bool) if is_fake is None else is_fake
    by_person = np.argsort(code, kind="stable")
    rows_of = np.split(by_person, np.cumsum(np.bincount(code))[:-1])
    chosen = [_photos_of(rows_of[i], is_fake, n_photos, random) for i in random.permutation(len(names))]
    n_batches = len(names) // n_persons
    return np.array(chosen[: n_batches * n_persons], np.int64).reshape(n_batches, n_persons * n_photos)


def _photos_of(rows: np.ndarray, is_fake: np.ndarray, n_photos: int, random: np.random.Generator) -> np.ndarray:
    fakes, reals = rows[is_fake[rows]], rows[~is_fake[rows]]
    n_fakes = 0 if not len(fakes) else n_photos if not len(reals) else -(-n_photos // 3)
    return np.concatenate([_some(fakes, n_fakes, random), _some(reals, n_photos - n_fakes, random)])


def _some(rows: np.ndarray, n_rows: int, random: np.random.Generator) -> np.ndarray:
    """``n_rows`` of the rows; each once before one comes twice."""
    n_rounds = 0 if not n_rows else -(-n_rows // len(rows))
    rounds = [random.permutation(rows) for _ in range(n_rounds)]
    return np.concatenate([*rounds, rows[:0]])[:n_rows]


def _cut(rows: np.ndarray, batch_size: int) -> np.ndarray:
    size = min(batch_size, len(rows))
    n_batches = len(rows) // size
    return rows[: n_batches * size].reshape(n_batches, size)


def _random(seed: int, epoch: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch])
