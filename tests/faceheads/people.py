"""Made-up people: feature tables and labels in which something can be learned."""

import numpy as np
import pandas as pd

from faceheads.table import FaceRow, FaceTable, Status
from tests.tables import face_row, table_spec

DIMENSION = 8


def people_table(n_people=60, n_photos=4, seed=0, n_without_face=2, spec="default"):
    """A table and its labels: gender and mood (classes), age (years), glasses (0/1), identity.

    Gender moves the first number of an embedding by 4, age the second, glasses the third, mood the fourth; a person moves
    all by less. Rows are in random order.
    """
    rng = np.random.default_rng(seed)
    rows, labels = [], []
    for person in range(n_people):
        gender, age, glasses = person % 2, 10 + (person * 37) % 70, int(rng.random() < 0.3)
        centre = rng.normal(0, 0.3, DIMENSION)
        for photo in range(n_photos):
            mood = int(rng.integers(3))
            signal = np.array([4 * gender, age / 10, 4 * glasses, 3 * mood, 0, 0, 0, 0])
            embedding = centre + signal + rng.normal(0, 0.3, DIMENSION)
            path = f"Person_{person:03d}/Person_{person:03d}_{photo:04d}.jpg"
            rows.append(face_row(path, rng, DIMENSION, embedding=embedding))
            name = ("female", "male")[gender]
            labels.append((path, name, float(age), glasses, "abc"[mood], f"Person_{person:03d}"))
    for row in rng.choice(len(rows), n_without_face, replace=False):
        rows[row] = FaceRow(rows[row].path, rows[row].sha256, Status.NO_FACE, image_hw=(100, 120))
    order = rng.permutation(len(rows))
    columns = ["path", "gender", "age", "glasses", "mood", "identity"]
    frame = pd.DataFrame(labels, columns=columns).set_index("path")
    chosen = table_spec(DIMENSION) if spec == "default" else spec
    return FaceTable.from_rows([rows[i] for i in order], 5, chosen), frame
