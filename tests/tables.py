"""Small synthetic feature tables for tests."""

import numpy as np

from faceheads.spec import EmbedderSpec, TableSpec
from faceheads.table import FaceRow, FaceTable, Status


def table_spec(dimension=8, **changes):
    """A specification like that of the dlib embedder, with another dimension."""
    embedder = EmbedderSpec(
        "dlib", "ab" * 32, dimension, "dlib5", {"kind": "dlib_chip", "size": 150, "padding": 0.25}, metric="euclidean"
    )
    return TableSpec(embedder, **{"detector": "hog", "detector_settings": {"upsample": 1}, **changes})


def face_row(path, rng, dimension=8, **changes):
    """A row with a face, random numbers throughout."""
    values = {
        "sha256": rng.bytes(32).hex(),
        "status": Status.OK,
        "n_faces": 1,
        "image_hw": (100, 120),
        "box_xyxy": np.array([10, 20, 60, 70]) + rng.random(4),
        "landmarks_xy": rng.random((5, 2)) * 50,
        "detection_score": float(rng.random()),
        "embedding": rng.standard_normal(dimension),
        "brightness": 255 * float(rng.random()),
        "sharpness": 900 * float(rng.random()),
    }
    return FaceRow(path, **{**values, **changes})


def small_table(seed=0, dimension=8):
    """Six rows: two images with one face, one with two, one without a face, one unreadable file."""
    rng = np.random.default_rng(seed)
    twice = rng.bytes(32).hex()
    rows = [
        face_row("a/one.jpg", rng, dimension),
        face_row("a/two.jpg", rng, dimension, sha256=twice, n_faces=2),
        face_row("a/two.jpg", rng, dimension, sha256=twice, n_faces=2, face_index=1),
        FaceRow("b/none.jpg", rng.bytes(32).hex(), Status.NO_FACE, image_hw=(10, 10)),
        FaceRow("b/ümlaut, comma.jpg", "", Status.UNREADABLE, "empty file"),
        face_row("c.PNG", rng, dimension),
    ]
    return FaceTable.from_rows(rows, 5, table_spec(dimension))
