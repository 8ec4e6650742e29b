"""A map of the held-out embeddings, coloured by each label."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from ...samples import Samples
from ...splits import TEST
from ...targets import CLASSIFICATION, MULTILABEL, Target
from ...training import TrainingResult
from ..charts.embedding_map import MAX_CLASSES, draw_map
from ..document import Picture, Pictures, Section, Text
from ..style import draw_png

#: More points hide one another.
MAX_POINTS = 2000


def embedding_section(result: TrainingResult) -> list[Section]:
    """One section, or none where there is nothing to colour or too little to place."""
    targets = [head.target for head in result.file.heads if _can_be_coloured(head.target)]
    rows = _drawn_rows(result.samples, result.file.training["seed"])
    if not targets or len(rows) < 3 or result.samples.table.dimension < 2:
        return []
    points, shares = principal_components(result.samples.table.embedding[rows])
    pictures = []
    for target in targets:
        labels = _labels(result.samples.labels[target.columns[0]].iloc[rows], target)
        known = labels.notna().to_numpy()
        png = draw_png(partial(draw_map, points=points[known], labels=labels[known]))
        pictures.append(Picture(f"embeddings_{len(pictures) + 1}", png, f"Embeddings by {target.name}."))
    told = (
        f"{len(rows):,} held-out faces on the two principal components of their embeddings, which hold "
        f"{100 * shares.sum():.0f} % of the variance. Classes that lie on one another here may still be apart in the other "
        f"{result.samples.table.dimension - 2} dimensions."
    )
    return [Section("Embeddings", (Text(told), Pictures(tuple(pictures))))]


def _can_be_coloured(target: Target) -> bool:
    return target.task != MULTILABEL and len(target.classes) <= MAX_CLASSES


def _drawn_rows(samples: Samples, seed: int) -> np.ndarray:
    rows = np.flatnonzero(samples.in_part(TEST) & samples.table.has_embedding)
    return np.sort(np.random.default_rng(seed).permutation(rows)[:MAX_POINTS])


def _labels(column: pd.Series, target: Target) -> pd.Series:
    if target.task != CLASSIFICATION:
        return column.astype(float)
    names = [str(name) for name in target.classes]
    codes = np.full(len(column), -1)
    known = column.notna().to_numpy()
    codes[known] = target.encode(column[known].to_frame())
    return pd.Series(pd.Categorical.from_codes(codes, names), name=column.name)


def principal_components(embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The embeddings on their first two principal components, and the share of the variance that each holds.

    Parameters
    ----------
    embeddings : ndarray of shape (n_rows, dimension)

    Returns
    -------
    points : ndarray of shape (n_rows, 2)
    shares : ndarray of shape (2,)
    """
    components = PCA(2, svd_solver="full").fit(embeddings.astype(np.float64))
    return components.transform(embeddings.astype(np.float64)), components.explained_variance_ratio_
