"""Made-up faces of made-up people: a table in which photos of one person are alike."""

import numpy as np
import pandas as pd

from faceheads.table import FaceRow, FaceTable, Status
from tests.tables import face_row, table_spec

DIMENSION = 8


def faces_table(n_people=60, n_photos=4, n_lost=0, noise=0.6, seed=0, spec="default"):
    """A table with one face a photo; the first ``n_lost`` photos of all have none."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(n_people):
        centre = rng.normal(0, 1, DIMENSION)
        for photo in range(n_photos):
            path = f"Person_{person:03d}/{photo:04d}.jpg"
            rows.append(face_row(path, rng, DIMENSION, embedding=centre + rng.normal(0, noise, DIMENSION)))
    for row in range(n_lost):
        rows[row] = FaceRow(rows[row].path, rows[row].sha256, Status.NO_FACE, image_hw=(100, 120))
    return FaceTable.from_rows(rows, 5, table_spec(DIMENSION) if spec == "default" else spec)


def identities_of(table):
    return np.array([path.partition("/")[0] for path in table.path], dtype=object)


def labels_of(table):
    return pd.DataFrame({"identity": identities_of(table)}, index=pd.Index(table.path, name="path", dtype=object))


def pairs_of(table, n=300, seed=0, folds=None, fakes=False):
    """Listed pairs, half of them mated; with fakes every other non-mated pair says so."""
    rng = np.random.default_rng(seed)
    names, rows = identities_of(table), []
    people = sorted(set(names))
    for k in range(n):
        is_mated = k % 2 == 0
        one, other = rng.choice(len(people), 2, replace=False)
        first = rng.permutation(np.flatnonzero(names == people[one]))
        second = first[1] if is_mated else rng.choice(np.flatnonzero(names == people[other]))
        kind = ("fake" if k % 4 == 3 else "real") if fakes else None
        rows.append((table.path[first[0]], table.path[second], is_mated, None if folds is None else k % folds, kind))
    frame = pd.DataFrame(rows, columns=["probe", "reference", "is_mated", "fold", "kind"])
    return frame.astype({"fold": "Int64", "kind": str} if fakes else {"fold": "Int64"})
