import numpy as np
import pytest

from features.probes.frame import CHIN, LEFT_EYE, RIGHT_EYE, FaceFrame, UprightView
from tests.features.probes.drawn_faces import frame_at, mean_shape


@pytest.mark.parametrize("angle", [0.0, 0.6, -2.0])
def test_a_face_has_the_same_coordinates_however_it_lies_in_the_photo(angle):
    frame = frame_at((150, 90), 37.0, angle)
    assert frame.unit_px == pytest.approx(37, rel=0.05)
    assert frame.points == pytest.approx(mean_shape() * 37 / frame.unit_px, abs=1e-6)
    eyes = [frame.points[eye].mean(axis=0) for eye in (LEFT_EYE, RIGHT_EYE)]
    assert eyes[0] == pytest.approx(-eyes[1], abs=1e-9)
    assert eyes[0][1] == pytest.approx(0, abs=1e-9)


def test_pixels_have_the_coordinates_of_the_landmarks_that_lie_on_them():
    landmarks = np.rint(frame_at((60, 50), 20.0, 0.3).landmarks_xy)
    frame = FaceFrame(landmarks)
    x, y = frame.coordinates((120, 120))
    column, row = landmarks[CHIN].astype(int)
    assert (x[row, column], y[row, column]) == pytest.approx(frame.points[CHIN], abs=1e-4)


def test_eyes_brought_together_by_turning_do_not_make_the_face_smaller():
    shape = mean_shape()
    turned = FaceFrame(40 * shape * (0.6, 1))
    assert turned.unit_px == pytest.approx(FaceFrame(40 * shape).unit_px, rel=0.02)


def test_what_is_taken_into_a_view_is_put_back_where_it_was():
    frame = frame_at((100, 90), 25.0, 0.4)
    view = UprightView(frame, 30)
    x, y = frame.coordinates((220, 200))
    values = np.exp(-(x**2) - y**2).astype(np.float32)
    back = view.put_back(view.take(values), values.shape)
    assert np.abs(back - values)[np.hypot(x, y) < 2].max() < 0.03
    rows, columns = np.unravel_index(view.take(values).argmax(), view.size_hw)
    assert view.coordinates()[0][rows, columns] == pytest.approx(0, abs=0.05)
    assert view.coordinates()[1][rows, columns] == pytest.approx(0, abs=0.05)


def test_the_box_holds_the_view_and_stays_in_the_photo():
    frame = frame_at((100, 90), 10.0)
    rows, columns = frame.box((300, 120))
    assert (rows.start, columns.stop) == (90 - 32, 120)
    moved = frame.moved((columns.start, rows.start))
    assert moved.points == pytest.approx(frame.points)
    assert moved.landmarks_xy + (columns.start, rows.start) == pytest.approx(frame.landmarks_xy)
    assert UprightView(frame, 8).is_inside((300, 120)).mean() < 1


def test_a_large_face_is_averaged_and_not_sampled():
    frame = frame_at((400, 400), 80.0)
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    view = UprightView(frame, 20).take(stripes)
    assert view[20:-20, 20:-20].astype(float) == pytest.approx(127.5, abs=12)
