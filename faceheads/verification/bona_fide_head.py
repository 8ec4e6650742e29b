"""A head that tells fakes from photos, as verification takes it: a number for each photo, higher is more real."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..headfile import HeadError, HeadFile
from ..spec import TableSpec
from ..table import FaceTable
from ..targets import CLASSIFICATION

#: The label column that such a head learns: 0 for a photo, 1 for a fake.
TARGET = "fake"
_CLASSES = (0, 1)
#: Probabilities nearer to 0 or 1 do not change the log-odds any more.
_SMALLEST_PROBABILITY = 1e-9
_N_EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class BonaFideHead:
    """What tells fakes from photos.

    Attributes
    ----------
    file : HeadFile
        With one head, for :data:`TARGET`.

    Raises
    ------
    faceheads.headfile.HeadError
        If it is no such head.
    """

    file: HeadFile

    def __post_init__(self) -> None:
        targets = [head.target for head in self.file.heads]
        is_one = len(targets) == 1 and targets[0].task == CLASSIFICATION and targets[0].name == TARGET
        if not is_one or targets[0].classes != _CLASSES or self.file.table_spec is None:
            raise HeadError(
                f"A head that tells fakes from photos decides {TARGET!r} between 0 (photo) and 1 (fake), on a table of "
                f"feature_extraction.py; this file decides {[(t.name, *t.classes[:_N_EXAMPLES]) for t in targets]}. Train one "
                f"with: python train.py --feature TABLE --target {TARGET} --save_model bona_fide.skops"
            )

    @classmethod
    def of(cls, file: HeadFile) -> BonaFideHead:
        """The head for :data:`TARGET` in a file, which may hold others.

        Raises
        ------
        faceheads.headfile.HeadError
            If there is none.
        """
        return cls(file.select([TARGET]) if TARGET in file.targets else file)

    @property
    def spec(self) -> TableSpec:
        """How the table that it takes is made."""
        return self.file.table_spec

    def scores(self, table: FaceTable) -> np.ndarray:
        """Bona fide scores of rows, float64 of shape (n_rows,): the log-odds that it is a photo; NaN without a vector.

        Raises
        ------
        faceheads.headfile.HeadError
            If the table is of another embedder.
        """
        self.file.check_spec(table.spec)
        out = np.full(len(table), np.nan)
        made = table.has_embedding
        if made.any():
            p_fake = self.file.heads[0].raw(table.embedding[made])[:, 1]
            p_fake = np.clip(p_fake, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
            out[made] = np.log1p(-p_fake) - np.log(p_fake)
        return out
