import numpy as np
import pytest

from faceheads.identification.gallery import (
    Gallery,
    GalleryError,
    people_of,
    person_of,
    twins,
)
from tests.faceheads.verification.faces import faces_table

NAMES = np.array(["b", "a", "", "b", "a"], object)


def vectors(seed=0, n=5):
    return np.random.default_rng(seed).standard_normal((n, 6)).astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_face_is_as_alike_as_the_persons_most_alike_photo(metric):
    enrolled, faces = vectors(), vectors(1, 4)
    found = Gallery.of(enrolled, NAMES, metric).similarity(faces)
    for i, face in enumerate(faces):
        for k, person in enumerate("ab"):
            each = [
                face @ v / np.linalg.norm(face) / np.linalg.norm(v)
                if metric == "cosine"
                else -np.linalg.norm(face - v)
                for v in enrolled[NAMES == person]
            ]
            assert found[i, k] == pytest.approx(max(each), abs=1e-5)


def test_photos_without_a_face_or_a_name_are_not_enrolled():
    enrolled = vectors()
    enrolled[[1, 4]] = np.nan
    gallery = Gallery.of(enrolled, NAMES, "cosine")
    assert (list(gallery.names), gallery.n_photos) == (["b"], 2)
    with pytest.raises(GalleryError, match="at least one photo with a face and a name"):
        Gallery.of(np.full((5, 6), np.nan, np.float32), NAMES, "cosine")


def test_other_dimensions_are_refused():
    with pytest.raises(GalleryError, match="one dimension; got 7 and 6"):
        Gallery.of(vectors(), NAMES, "cosine").similarity(np.zeros((1, 7), np.float32))


def test_a_person_is_a_folder_or_a_file_and_accents_are_joined():
    assert [person_of(p) for p in ("Zoe\u0308/a/b.jpg", "Zo\u00eb.jpg", "Dr. No.jpg")] == ["Zoë", "Zoë", "Dr. No"]


def test_nobody_may_be_called_unknown():
    table = faces_table(n_people=1)
    table.path[:] = [f"Unknown/{i}.jpg" for i in range(4)]
    with pytest.raises(GalleryError, match="nobody in the gallery may be called 'unknown'"):
        people_of(table)


def test_people_as_alike_as_one_are_told_once_the_most_alike_first():
    enrolled = np.array([[1, 0], [1, 0.1], [0, 1], [0.02, 1]], np.float32)
    found = twins(Gallery.of(enrolled, np.array(["a", "b", "c", "d"], object), "cosine"), 0.9)
    assert [pair[:2] for pair in found] == [("c", "d"), ("a", "b")]
