"""How much each row counts in training: classes of equal weight, and classes that are independent of a cohort.

*Reweighing* gives a row of cohort s and class y the weight P(s) P(y) / P(s, y). With these weights the class is as frequent
in every cohort, so that a head cannot gain by taking the one for the other; neither cohorts nor classes weigh more or less
than before. It changes nothing about labels that are wrong more often in one cohort.

References
----------
F. Kamiran, T. Calders, Data preprocessing techniques for classification without discrimination, KAIS 33, 2012 (section 4.3).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_sample_weight

from .labels import LabelError
from .targets import CLASSIFICATION, REGRESSION, Target

BALANCED = "balanced"


def reweighing(y: np.ndarray, cohorts: pd.Categorical) -> np.ndarray:
    """Weights that make the class independent of the cohort, float64 of shape (n_rows,), 1 where no cohort is known.

    Parameters
    ----------
    y : array of shape (n_rows,)
        Classes.
    cohorts : Categorical of n_rows rows

    Raises
    ------
    LabelError
        If a class does not occur in a cohort: no weights make them independent.
    """
    is_known = cohorts.codes >= 0
    known = cohorts[is_known].remove_unused_categories()
    classes, position = np.unique(y[is_known], return_inverse=True)
    counts = np.zeros((len(known.categories), len(classes)))
    np.add.at(counts, (known.codes, position), 1)
    empty = [str(name) for name, row in zip(known.categories, counts, strict=True) if not row.all()]
    if empty:
        raise LabelError(
            f"Rows cannot be reweighed: a class never occurs in {', '.join(empty)}. Choose other cohorts."
        )
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    weights = np.ones(len(y))
    weights[is_known] = (expected / counts)[known.codes, position]
    return weights


def row_weights(
    target: Target, y: np.ndarray, class_weight: str | None, cohorts: pd.Categorical | None, cohort_name: str
) -> tuple[np.ndarray | None, list[str]]:
    """The weights of a head's training rows, None where all count equally, and remarks.

    Numbers have no classes, and a head is not made independent of the classes that it predicts itself: their rows are
    weighed as they are.

    Parameters
    ----------
    target : Target
    y : array
        As ``target.encode`` gives it.
    class_weight : {"balanced"} or None
    cohorts : Categorical of n_rows rows, or None
        To be independent of.
    cohort_name : str

    Raises
    ------
    LabelError
        If several attributes in one head are to be weighed, or a class does not occur in a cohort.
    """
    if cohorts is not None and (target.task == REGRESSION or cohort_name == target.name):
        why = "a number has no classes" if target.task == REGRESSION else "it is what the cohorts are made of"
        weights, _ = row_weights(target, y, class_weight, None, "")
        return weights, [f"{target.name}: {why}, so its rows are not reweighed"]
    if target.task == REGRESSION or (cohorts is None and class_weight is None):
        return None, []
    if target.task != CLASSIFICATION:
        raise LabelError(
            f"The attributes of {target.name!r} share their rows, which cannot be weighed for each of them. "
            "Name single attributes with --target."
        )
    weights = np.ones(len(y)) if cohorts is None else reweighing(y, cohorts)
    remarks = [] if cohorts is None else [_in_words(target, weights, cohort_name)]
    if class_weight == BALANCED:
        weights = weights * compute_sample_weight(BALANCED, y)
    return weights, remarks


def _in_words(target: Target, weights: np.ndarray, cohort_name: str) -> str:
    """Kish's effective number says how much the weights cost: equally weighed rows that would tell as much."""
    effective = weights.sum() ** 2 / (weights**2).sum()
    return (
        f"{target.name}: training rows weigh {weights.min():.2f} to {weights.max():.2f}, so that it is independent of "
        f"{cohort_name}; that costs as much as learning from {effective:,.0f} instead of {len(weights):,} rows"
    )
