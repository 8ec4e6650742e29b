import numpy as np

from faceheads.identification.gallery import Gallery
from faceheads.identification.naming import name_faces
from faceheads.table import FaceRow, FaceTable, Status
from tests.tables import face_row, table_spec

GALLERY = Gallery.of(np.array([[1, 0, 0], [0.9, 0.4, 0]], np.float32), np.array(["Ada", "Bo"], object), "cosine")


def table(*rows):
    rng = np.random.default_rng(0)
    counts = {}
    made = []
    for path, vector in rows:
        index = counts.setdefault(path, 0)
        counts[path] += 1
        if vector is None:
            made.append(FaceRow(path, "ab" * 32, Status.NO_FACE, image_hw=(9, 9)))
        else:
            made.append(face_row(path, rng, 3, embedding=np.array(vector), face_index=index, sha256="ab" * 32))
    return FaceTable.from_rows(made, 5, table_spec(3))


def test_two_faces_of_one_photo_are_never_one_person_but_those_of_two_photos_may_be():
    faces = table(("1.jpg", [1, 0.05, 0]), ("1.jpg", [1, 0, 0]), ("2.jpg", [1, 0.05, 0]))
    names = name_faces(faces, GALLERY, 0.8)
    assert list(names.name) == ["Bo", "Ada", "Ada"]
    assert list(names.nearest) == ["Ada", "Ada", "Ada"]
    assert names.n_taken == 1
    assert names.similarity[0] < names.similarity[2]  # to Bo, not to Ada


def test_strangers_are_unknown_and_rows_without_a_face_have_no_name():
    names = name_faces(table(("1.jpg", [0, 0, 1]), ("2.jpg", None)), GALLERY, 0.8)
    assert list(names.name) == ["unknown", ""]
    assert np.isnan(names.similarity[1]) and names.similarity[0] == 0
