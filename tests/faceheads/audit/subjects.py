"""Made-up people with planted faults."""

from dataclasses import replace

import numpy as np

from faceheads.audit.subject import make_subject
from faceheads.training_options import TrainingOptions
from tests.faceheads.people import people_table

OPTIONS = TrainingOptions(targets=("gender", "age"), cohorts=("glasses",))


def changed(table, rows, **columns):
    """The table with other values in some rows."""
    values = {name: np.array(getattr(table, name), copy=True) for name in columns}
    for name, new in columns.items():
        values[name][rows] = new
    return replace(table, **values)


def subject_of(table, labels, **options):
    return make_subject(table, labels, replace(OPTIONS, **options))


def people(**options):
    return people_table(**{"n_people": 80, "n_photos": 3, "n_without_face": 0, **options})
