"""Landmarks are dlib's own, in the box that its predictor was trained on; only one conversion exists."""

import threading

import dlib
import numpy as np
import pytest

from faceheads.weights import find_weights
from features import landmarks
from features.face import Face
from features.landmarks import convert_landmarks, find_landmarks
from tests.features.scenes import face_at, noise_image


@pytest.mark.parametrize(("scheme", "weights"), [("dlib5", "dlib_landmarks5"), ("dlib68", "dlib_landmarks68")])
def test_landmarks_are_those_of_dlibs_predictor_in_the_untrimmed_box(scheme, weights):
    predictor = dlib.shape_predictor(str(find_weights(weights)))
    image = noise_image()
    for left, top, right, bottom in ((20, 30, 99, 109), (-15, -20, 60, 55), (200, 150, 279, 229)):
        expected = [(p.x, p.y) for p in predictor(image, dlib.rectangle(left, top, right, bottom)).parts()]
        found = find_landmarks(image, [face_at([left, top, right + 1, bottom + 1])], scheme)[0]
        np.testing.assert_array_equal(found.landmarks_xy, expected)
        assert found.landmark_scheme == scheme


def test_every_face_keeps_its_place_its_box_and_its_score():
    faces = [Face(np.array([10 * i, 5, 10 * i + 80, 85]), i / 7, "cnn") for i in range(3)]
    found = find_landmarks(noise_image(), faces, "dlib5")
    assert [face.detection_score for face in found] == [0, 1 / 7, 2 / 7]
    assert all(np.array_equal(a.box_xyxy, b.box_xyxy) for a, b in zip(faces, found, strict=True))
    assert find_landmarks(noise_image(), [], "dlib68") == []


def test_landmarks_of_the_wished_scheme_are_kept_as_they_are():
    face = face_at([0, 0, 80, 80], np.arange(10).reshape(5, 2) + 0.25, "arcface5", "mtcnn")
    assert find_landmarks(noise_image(), [face], "arcface5") == [face]


def test_landmarks_can_be_dropped():
    face = face_at([0, 0, 80, 80], np.zeros((5, 2)), "dlib5")
    assert find_landmarks(noise_image(), [face], "none")[0].landmarks_xy.shape == (0, 2)


def test_a_face_without_landmarks_gets_arcfaces_five_from_dlibs_68():
    image, face = noise_image(), face_at([20, 30, 100, 110])
    points = find_landmarks(image, [face], "dlib68")[0].landmarks_xy
    expected = [points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]]
    np.testing.assert_allclose(find_landmarks(image, [face], "arcface5")[0].landmarks_xy, expected, atol=1e-4)


def test_mtcnns_narrow_box_becomes_a_lower_square_before_dlib_predicts():
    image = noise_image()
    narrow, square = face_at([40, 20, 104, 120], detector="mtcnn"), face_at([32, 34, 112, 114])
    found, expected = (find_landmarks(image, [face], "dlib5")[0].landmarks_xy for face in (narrow, square))
    np.testing.assert_array_equal(found, expected)  # side √(64·100) = 80 px, centre (72, 70 + 4)


@pytest.mark.parametrize(("source", "target"), [("dlib5", "arcface5"), ("arcface5", "dlib68"), ("dlib68", "dlib5")])
def test_any_other_conversion_is_refused(source, target):
    with pytest.raises(ValueError, match=f"'{target}' cannot be computed from '{source}'"):
        convert_landmarks(np.zeros((5, 2)), source, target)


def test_a_face_whose_landmarks_cannot_serve_and_an_unknown_scheme_are_refused():
    with pytest.raises(ValueError, match="'arcface5' cannot be computed from 'dlib5'"):
        find_landmarks(noise_image(), [face_at([0, 0, 9, 9], np.zeros((5, 2)), "dlib5")], "arcface5")
    with pytest.raises(ValueError, match="scheme must be one of .* got 'dlib7'"):
        find_landmarks(noise_image(), [], "dlib7")


def test_each_thread_has_its_own_predictor():
    found = {}
    threads = [threading.Thread(target=lambda i=i: found.update({i: landmarks._predictor("dlib5")})) for i in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    assert found[0] is not found[1]
    assert landmarks._predictor("dlib5") is landmarks._predictor("dlib5")
