"""The faces that a person should look at to understand a criterion."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ..calibration.outoffold import make_splits, out_of_fold_scores
from .ranking import Finding

TYPICAL_YES, TYPICAL_NO, BORDERLINE, AGAINST = "typical yes", "typical no", "borderline", "against the rule"
#: Inverse strength of the penalty: embeddings have hundreds of correlated numbers.
_C = 0.01


def faces_to_look_at(
    embeddings: np.ndarray,
    criterion: np.ndarray,
    groups: np.ndarray,
    finding: Finding,
    n_each: int = 12,
    seed: int = 0,
) -> pd.DataFrame:
    """Typical and borderline faces of a criterion, and those that contradict a finding.

    A logistic head learns the criterion; each face has the probability that a head gives which saw neither the face nor
    its person.

    Parameters
    ----------
    embeddings : array of shape (n_faces, dimension)
    criterion : array of shape (n_faces,), bool
    groups : array of shape (n_faces,)
        Persons.
    finding : Finding on the same faces
    n_each : int, default=12
        Faces of each kind.
    seed : int, default=0

    Returns
    -------
    DataFrame
        ``row`` (position of the face), ``kind``, ``probability`` of the criterion, ``rule`` (degree to which the face
        fulfils the finding) and ``criterion``; the most telling faces of each kind first.

    Raises
    ------
    ValueError
        If the criterion is true, or false, of fewer faces than there are folds.
    """
    truth = np.asarray(criterion, bool)
    head = make_pipeline(StandardScaler(), LogisticRegression(C=_C, max_iter=1000))
    splits = make_splits(None, embeddings, truth, groups, seed)
    probability = out_of_fold_scores(head, embeddings, truth, splits)
    is_against = (finding.degrees >= 0.5) != truth
    chosen = {
        TYPICAL_YES: _first(-probability, truth, n_each),
        TYPICAL_NO: _first(probability, ~truth, n_each),
        BORDERLINE: _first(np.abs(probability - 0.5), np.ones(len(truth), bool), n_each),
        AGAINST: _first(-np.abs(finding.degrees - 0.5), is_against, n_each),
    }
    frame = pd.DataFrame([(row, kind) for kind, rows in chosen.items() for row in rows], columns=["row", "kind"])
    rows = frame["row"].to_numpy()
    return frame.assign(probability=probability[rows], rule=finding.degrees[rows], criterion=truth[rows])


def _first(key: np.ndarray, is_candidate: np.ndarray, n: int) -> np.ndarray:
    """Positions of the candidates with the smallest keys, ties in the order of rows."""
    rows = np.flatnonzero(is_candidate)
    return rows[np.argsort(key[rows], kind="stable")[:n]]
