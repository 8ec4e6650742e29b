"""Made-up people with fakes of them: a table of faces, a table in which fakes can be seen, labels, a head."""

import numpy as np
import pandas as pd

from faceheads.store import save_heads
from faceheads.table import FaceTable
from faceheads.training import train_heads
from faceheads.training_options import TrainingOptions
from faceheads.verification.bona_fide_head import BonaFideHead
from tests.faceheads.verification.faces import DIMENSION
from tests.tables import face_row, table_spec

LOOKED_AT = 6


def looked_at_spec():
    return table_spec(LOOKED_AT, detector="none", detector_settings={})


def tables_with_fakes(n_people=120, n_photos=4, n_fakes=2, signal=4.0, seed=0):
    """Faces, the same photos as the head sees them, and their labels; a fake is as alike to its person as a photo."""
    rng = np.random.default_rng(seed)
    faces, looked_at, labels = [], [], []
    for person in range(n_people):
        centre = rng.normal(0, 1, DIMENSION)
        for photo in range(n_photos + n_fakes):
            is_fake = photo >= n_photos
            path = f"{'fake' if is_fake else 'real'}/Person_{person:03d}/{photo:04d}.jpg"
            sha256 = rng.bytes(32).hex()
            seen = rng.normal(0, 1, LOOKED_AT)
            seen[0] += signal * is_fake
            faces.append(face_row(path, rng, sha256=sha256, embedding=centre + rng.normal(0, 0.4, DIMENSION)))
            looked_at.append(face_row(path, rng, LOOKED_AT, sha256=sha256, embedding=seen))
            source = f"{person}/{photo - n_photos if is_fake else photo}"
            labels.append((path, f"Person_{person:03d}", "fake" if is_fake else "real", int(is_fake), source))
    frame = pd.DataFrame(labels, columns=["path", "identity", "kind", "fake", "source"]).set_index("path")
    specs = (table_spec(DIMENSION), looked_at_spec())
    tables = [FaceTable.from_rows(rows, 5, spec) for rows, spec in zip((faces, looked_at), specs, strict=True)]
    return *tables, frame


def trained(looked_at, labels, **options):
    """What train.py makes for the column fake."""
    chosen = {"targets": ("fake",), "head": "logistic", "test_size": 0.6, "n_resamples": 20, **options}
    return train_heads(looked_at, labels, TrainingOptions(**chosen))


def bona_fide_head(looked_at, labels, path=None):
    file = trained(looked_at, labels).file
    if path is not None:
        save_heads(path, file)
    return BonaFideHead.of(file)
