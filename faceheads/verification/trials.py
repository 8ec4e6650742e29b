"""Trials: pairs of rows of a feature table, with their similarity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..table import FaceTable
from .similarity import similarities

#: Kinds of pairs: both images are real, or one is a fake.
REAL, FAKE = "real", "fake"


class TrialError(ValueError):
    """A list of pairs does not fit the table; the message names examples."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Comparisons of a probe with a reference.

    Attributes
    ----------
    probe, reference : ndarray of shape (n_trials,), int64
        Rows of the table; −1 where an image has no embedding (failure to acquire).
    is_mated : ndarray of shape (n_trials,), bool
    similarity : ndarray of shape (n_trials,), float64
        NaN where a comparison could not be made.
    probe_identity, reference_identity : ndarray of shape (n_trials,), object (str)
    kind : ndarray of shape (n_trials,), object (str or missing), optional
        What a pair is made of, such as ``"real"`` or ``"fake"``; None when nothing says.
    """

    probe: np.ndarray
    reference: np.ndarray
    is_mated: np.ndarray
    similarity: np.ndarray
    probe_identity: np.ndarray
    reference_identity: np.ndarray
    kind: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.is_mated)

    def __getitem__(self, chosen: np.ndarray | slice) -> Trials:
        columns = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Trials(**{name: None if array is None else array[chosen] for name, array in columns.items()})

    @property
    def is_acquired(self) -> np.ndarray:
        """Boolean array: both images have an embedding."""
        return (self.probe >= 0) & (self.reference >= 0)

    @property
    def made(self) -> Trials:
        """The comparisons that were made."""
        return self[self.is_acquired]

    @property
    def is_fake(self) -> np.ndarray:
        """Boolean array: non-mated because an image is a fake; nowhere when nothing says what pairs are made of."""
        if self.kind is None:
            return np.zeros(len(self), bool)
        return (self.kind == FAKE) & ~self.is_mated


def make_trials(table: FaceTable, pairs: pd.DataFrame, metric: str, identities: Sequence[str] | None = None) -> Trials:
    """Trials of listed pairs; the first face of an image counts.

    Parameters
    ----------
    table : FaceTable
    pairs : DataFrame
        Columns ``probe``, ``reference`` (paths of the table) and ``is_mated``, as
        :func:`faceheads.datasets.pairs.read_pairs` gives.
    metric : {"cosine", "euclidean"}
    identities : sequence of str of length n_rows, optional
        Identity of each row of the table; default the first folder of its path.

    Raises
    ------
    TrialError
        If a listed image has no row in the table.
    """
    names = _folders(table.path) if identities is None else np.asarray(identities, object)
    probe, reference = pair_rows(table, pairs)
    kind = pairs["kind"].to_numpy(object) if "kind" in pairs and pairs["kind"].notna().any() else None
    return compare_rows(table, probe, reference, pairs["is_mated"].to_numpy(bool), metric, names, kind)


def pair_rows(table: FaceTable, pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the first face of each probe and reference, int64 arrays of shape (n_pairs,).

    Raises
    ------
    TrialError
        If a listed image has no row in the table.
    """
    first = table.face_index == 0
    rows = pd.Series(np.flatnonzero(first), index=table.path[first])
    probe, reference = (_rows_of(rows, pairs[side]) for side in ("probe", "reference"))
    return probe, reference


def compare_rows(
    table: FaceTable,
    probe: np.ndarray,
    reference: np.ndarray,
    is_mated: np.ndarray,
    metric: str,
    identities: np.ndarray,
    kind: np.ndarray | None = None,
) -> Trials:
    """Trials of rows of a table, with or without an embedding.

    Parameters
    ----------
    table : FaceTable
    probe, reference : ndarray of shape (n_trials,), int
    is_mated : ndarray of shape (n_trials,), bool
    metric : {"cosine", "euclidean"}
    identities : ndarray of shape (n_rows,), object (str)
    kind : ndarray of shape (n_trials,), object, optional
    """
    has_embedding = table.has_embedding
    acquired = [np.where(has_embedding[side], side, -1) for side in (probe, reference)]
    return Trials(
        probe=acquired[0],
        reference=acquired[1],
        is_mated=is_mated,
        similarity=similarities(table.embedding, *acquired, metric),
        probe_identity=identities[probe],
        reference_identity=identities[reference],
        kind=kind,
    )


def _rows_of(rows: pd.Series, paths: pd.Series) -> np.ndarray:
    missing = paths[~paths.isin(rows.index)]
    if len(missing):
        raise TrialError(
            f"{len(missing)} listed images have no row in the feature table, for example {list(missing[:3])}. "
            "Extract the folder that the list is about; paths are relative to it."
        )
    return rows.loc[paths].to_numpy()


def _folders(paths: np.ndarray) -> np.ndarray:
    return np.array([path.partition("/")[0] for path in paths], dtype=object)
