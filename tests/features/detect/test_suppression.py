"""Suppression of overlapping windows: plain loops, and scores that are known only roughly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceheads.networks.dlib_network import OverlapTest
from features.detect.suppression import overlaps, suppress, undecided

TEST = OverlapTest(0.338, 1.0)
#: The HOG detector's.
HOG_TEST = OverlapTest(0.33008212188056446, 0.7885714285714286)

CORNERS = st.tuples(st.integers(-50, 100), st.integers(-50, 100), st.integers(1, 90), st.integers(1, 90))


def pixels_of(rectangle):
    left, top, right, bottom = rectangle
    return {(x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)}


def overlap_of_pixels(one, other):
    """dlib's test_box_overlap, counted in pixels; the union is the rectangle around both."""
    common = len(pixels_of(one) & pixels_of(other))
    around = (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
    outer = (around[2] - around[0] + 1) * (around[3] - around[1] + 1)
    smaller = min(len(pixels_of(one)), len(pixels_of(other)))
    return common / outer > HOG_TEST.iou_threshold or common / smaller > HOG_TEST.percent_covered_threshold


@given(CORNERS, CORNERS)
def test_overlap_is_counted_in_pixels(one, other):
    one, other = ((x, y, x + width - 1, y + height - 1) for x, y, width, height in (one, other))
    found = overlaps(np.array(one, float), np.array([other], float), HOG_TEST)
    assert found.tolist() == [overlap_of_pixels(one, other)]


BOXES = st.lists(st.tuples(*[st.integers(-20, 60)] * 2, *[st.integers(0, 50)] * 2), max_size=12)


@given(BOXES, st.floats(0, 1), st.floats(0, 1))
def test_suppression_is_that_of_plain_loops(corners, iou, covered):
    boxes = [(left, top, left + width, top + height) for left, top, width, height in corners]
    pixels = [{(x, y) for x in range(b[0], b[2] + 1) for y in range(b[1], b[3] + 1)} for b in boxes]
    kept = []
    for i, box in enumerate(boxes):
        for k in kept:
            inner = len(pixels[i] & pixels[k])
            both = (*np.minimum(box, boxes[k])[:2], *np.maximum(box, boxes[k])[2:])
            outer = (both[2] - both[0] + 1) * (both[3] - both[1] + 1)
            if inner / outer > iou or inner / len(pixels[i]) > covered or inner / len(pixels[k]) > covered:
                break
        else:
            kept.append(i)
    assert list(suppress(np.array(boxes, float).reshape(-1, 4), OverlapTest(iou, covered))) == kept


def box(left, size=10):
    return (left, 0, left + size - 1, size - 1)


@pytest.mark.parametrize(
    ("boxes", "scores", "expected"),
    [
        pytest.param([box(0), box(100)], [1.0, 0.5], [], id="far apart in place and score"),
        pytest.param([box(0), box(1)], [1.0, 1.0 - 1e-6], [0, 1], id="which of two overlapping ones is kept"),
        pytest.param([box(0), box(100)], [1.0, 1.0 - 1e-6], [0, 1], id="which of two distant ones comes first"),
        pytest.param([box(0), box(1)], [1.0, 0.9], [], id="clearly the weaker of two"),
        pytest.param([box(0), box(1), box(2)], [1.0, 0.9, 0.9 - 1e-6], [], id="two equals that a third suppresses"),
        pytest.param([box(0), box(100)], [1.0, 1e-6], [1], id="whether a score is above the threshold"),
        pytest.param([box(0), box(1)], [1.0, -1e-6], [], id="near the threshold, but suppressed"),
        pytest.param([], [], [], id="nothing"),
    ],
)
def test_a_box_is_undecided_where_rounding_would_decide(boxes, scores, expected):
    boxes = np.array(boxes, float).reshape(-1, 4)
    assert undecided(boxes, np.array(scores, np.float32), TEST, threshold=0.0, error=1e-5).tolist() == expected


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from([1.0, 1.1, 0.5, 1.0001, 0.0001])), max_size=8),
    st.randoms(use_true_random=False),
)
def test_noise_below_the_error_changes_nothing_where_nothing_is_undecided(windows, random):
    windows = sorted(windows, key=lambda window: -window[1])
    boxes = np.array([box(left) for left, _ in windows], float).reshape(-1, 4)
    scores = np.array([score for _, score in windows])
    if len(undecided(boxes, scores, TEST, 0.0, error=1e-5)):
        return
    noisy = scores + np.array([random.uniform(-4e-6, 4e-6) for _ in windows])
    order = np.argsort(-noisy, kind="stable")
    np.testing.assert_array_equal(boxes[order][suppress(boxes[order], TEST)], boxes[suppress(boxes, TEST)])
