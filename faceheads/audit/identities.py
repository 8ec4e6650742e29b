"""Persons on both sides of the split."""

from __future__ import annotations

import pandas as pd

from ..splits import TEST, TRAIN
from .finding import Finding
from .subject import Subject

_NAME, _TITLE = "identities", "Persons on both sides of the split"


def identities(subject: Subject) -> Finding:
    """Persons with images in the training part and in the test part."""
    columns = ["person", TRAIN, TEST]
    if subject.persons is None:
        words = (
            "Persons are not known, so nobody can tell whether one is on both sides. Name them in the label column "
            "identity, or with --groups; near-duplicates across the split are the part of it that can be seen."
        )
        return Finding(_NAME, _TITLE, "?", "persons are not known", words, pd.DataFrame(columns=columns))
    persons = pd.Series(subject.persons, dtype=object).replace("", None)
    counts = pd.crosstab(persons, pd.Series(subject.samples.parts)).reindex(columns=[TRAIN, TEST], fill_value=0)
    table = counts[(counts > 0).all(axis=1)].rename_axis("person").reset_index()
    words = (
        f"{len(table)} of {persons.nunique()} persons have images in both parts by {subject.samples.split_by}. train.py "
        "takes their images out of the training part."
    )
    return Finding(_NAME, _TITLE, f"{len(table):,}", "persons on both sides", words, table)
