"""A tiny extraction: photos of a few people as crops in a folder, their feature table and their labels."""

import numpy as np
import pandas as pd

from faceheads.images.writing import write_image
from faceheads.table import FaceTable
from tests.tables import face_row, table_spec


def write_crops(folder, n_people=8, n_photos=3, size_px=40, seed=0):
    """Write crops ``person/photo.jpg.png`` whose colour tells gender and age; return their table and labels."""
    rng = np.random.default_rng(seed)
    rows, labels = [], {}
    for person in range(n_people):
        is_female = person % 2
        for photo in range(n_photos):
            key = f"p{person}/{photo}.jpg"
            rgb = np.clip(rng.normal(90 + 80 * is_female, 25, (size_px, size_px, 3)), 0, 255).astype(np.uint8)
            rgb[:, :, 0] = np.clip(20 * person + photo, 0, 255)
            (folder / f"p{person}").mkdir(parents=True, exist_ok=True)
            write_image(folder / f"{key}.png", rgb)
            rows.append(face_row(key, rng))
            gender = ("male", "female")[is_female]
            labels[key] = {"identity": f"p{person}", "gender": gender, "age": 10.0 * person, "fake": int(photo == 2)}
    return FaceTable.from_rows(rows, 5, table_spec()), pd.DataFrame.from_dict(labels, orient="index")
