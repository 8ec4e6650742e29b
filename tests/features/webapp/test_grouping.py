"""Grouping of made-up embeddings by the threshold that ships."""

import csv
import io

import numpy as np
import pytest

from features.webapp.grouping import SeenFaces, group
from features.webapp.models import Catalogue


@pytest.fixture(scope="module")
def choice():
    return Catalogue.load((), (), ()).groupings[0]


def seen(name, *directions):
    """Return a photo whose faces look in some directions: equal numbers are equal embeddings."""
    embeddings = np.eye(128, dtype=np.float32)[list(directions)]
    boxes = np.array([[0, 0, 10, 10]] * len(directions), np.float32)
    return SeenFaces(name, (b"",) * len(directions), boxes, embeddings)


def faces(groups):
    return [[(face.photo, face.number) for face in person] for person in groups.people]


def test_equal_faces_of_several_photos_are_one_person_and_those_with_most_faces_come_first(choice):
    groups = group([seen("a", 0, 1), seen("b", 1), seen("c", 1, 2)], choice)
    assert faces(groups)[0] == [(0, 1), (1, 0), (2, 0)]
    assert sorted(faces(groups)[1:]) == [[(0, 0)], [(2, 1)]]


def test_two_faces_of_one_photo_are_never_one_person(choice):
    groups = group([seen("a", 0, 0), seen("b", 0)], choice)
    assert sorted(map(len, faces(groups))) == [1, 2]


def test_photos_without_faces_are_kept_with_their_problem(choice):
    groups = group([SeenFaces("a", problem="no face was found"), seen("b", 0)], choice)
    assert faces(groups) == [[(1, 0)]]
    assert groups.photos[0].problem == "no face was found"
    assert group([SeenFaces("a", problem="x")], choice).people == ()


def test_the_table_names_people_photos_and_boxes(choice):
    rows = list(csv.DictReader(io.StringIO(group([seen("a", 0), seen("b", 0, 3)], choice).to_csv())))
    assert [(row["person"], row["photo"], row["face_number"]) for row in rows] == [
        ("1", "a", "1"),
        ("1", "b", "1"),
        ("2", "b", "2"),
    ]
    assert float(rows[0]["similarity"]) == pytest.approx(1)
    assert (rows[2]["similarity"], rows[2]["x1"]) == ("", "10.0")
