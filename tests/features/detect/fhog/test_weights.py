"""The weights that are read from dlib."""

import dlib
import numpy as np
import pytest

from features.detect.fhog.weights import _outer_products, face_weights


@pytest.fixture(scope="module")
def archive():
    return dlib.get_frontal_face_detector().__getstate__()[0]


def test_each_detector_has_as_many_separable_filters_as_dlib_makes(weights):
    # Counted with another reader of the format, dlib 20.0.1: singular values above max(1e-4, a thousandth of the first).
    assert np.bincount(weights.filter_detectors).tolist() == [61, 58, 54, 66, 66]


def test_thresholds_are_what_dlib_takes_off_the_score_of_a_black_image(weights):
    black = np.zeros((200, 200, 3), np.uint8)
    _, scores, detectors = dlib.get_frontal_face_detector().run(black, 0, -10.0)
    assert detectors
    for score, detector in zip(scores, detectors):
        assert score == -weights.thresholds[detector]
    assert weights.thresholds == pytest.approx([3.27449578, 3.98682164, 3.89593568, 3.51486904, 3.55802903])


def test_filters_are_ordered_by_plane_then_detector(weights):
    order = list(zip(weights.filter_planes, weights.filter_detectors))
    assert order == sorted(order)


def test_the_whole_weights_are_the_sum_of_the_outer_products(weights):
    total = np.zeros((5, 31, 10, 10))
    columns = zip(weights.filter_detectors, weights.filter_planes, weights.column_filters, weights.row_filters)
    for detector, plane, column, row in columns:
        total[detector, plane] += np.outer(column, row)
    assert weights.weights == pytest.approx(total, abs=1e-6)


@pytest.mark.parametrize("largest, smallest", [(1.0, 1e-3), (0.01, 1e-4)])
def test_singular_values_are_dropped_below_a_thousandth_of_the_largest_and_below_a_ten_thousandth(largest, smallest):
    matrix = np.diag([largest, 1.01 * smallest, 0.99 * smallest, *[0.0] * 7])
    assert len(_outer_products(matrix)) == 2


def test_a_cut_archive_is_refused(archive):
    for n_bytes in (0, 1, 20, 1000, len(archive) // 2, len(archive) - 1):
        with pytest.raises(ValueError, match="155,000 bytes"):
            face_weights(archive[:n_bytes])


def test_another_window_is_refused(archive):
    position = archive.index(b"\x01\x50\x01\x50")  # window width and height: one byte each, 80
    other = archive[: position + 1] + b"\x60" + archive[position + 2 :]
    with pytest.raises(
        ValueError, match="window width of dlib's face detector must be 80; the installed dlib says 96"
    ):
        face_weights(other)


def test_a_weight_that_is_not_finite_is_refused(archive):
    nuclear_norm = b"\x01\x12\x81\x01"  # 18 · 2^-1
    infinite = archive.replace(nuclear_norm, b"\x01\x00\x02\x00\x7d", 1)  # exponent 32000 says infinity
    with pytest.raises(ValueError, match="finite"):
        face_weights(infinite)
