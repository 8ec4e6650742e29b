"""All checks on a table and its labels."""

from __future__ import annotations

import pandas as pd

from ..table import FaceTable
from ..training_options import TrainingOptions
from .balance import balance
from .duplicates import duplicates
from .finding import Finding
from .identities import identities
from .label_errors import label_errors
from .lost_faces import lost_faces
from .near_duplicates import near_duplicate_pairs, near_duplicates
from .subject import Subject, make_subject
from .unlabelled import unlabelled


def audit(
    table: FaceTable, labels: pd.DataFrame, options: TrainingOptions, problems: pd.DataFrame
) -> tuple[Subject, list[Finding]]:
    """What is audited, and what every check has found.

    Parameters
    ----------
    table : FaceTable
    labels : DataFrame
        Index = key, as :func:`faceheads.labels.read_labels` gives.
    options : TrainingOptions
        Targets, cohorts, persons and split as training would take them.
    problems : DataFrame
        Columns ``path`` and ``what``; what the data set's adapter listed, or no rows.

    Raises
    ------
    LabelError
        If labels do not fit the table, the targets, the cohorts or the split.
    """
    subject = make_subject(table, labels, options)
    pairs = near_duplicate_pairs(subject)
    findings = [
        balance(subject),
        lost_faces(subject),
        unlabelled(subject, problems),
        identities(subject),
        duplicates(subject),
        near_duplicates(subject, pairs),
        label_errors(subject, pairs),
    ]
    return subject, findings
