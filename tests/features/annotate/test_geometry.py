"""Geometry on arrays against slow loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.annotate.geometry import (
    distances,
    overlap_areas,
    segments_cross,
    segments_meet_rectangles,
    shortest_links,
)

# Small whole numbers: touching, nested and degenerate cases all happen, and their answers are exact.
COORDINATE = st.integers(0, 12)


@st.composite
def rectangles(draw, max_size=6):
    n = draw(st.integers(0, max_size))
    low = draw(arrays(float, (n, 2), elements=COORDINATE))
    size = draw(arrays(float, (n, 2), elements=st.integers(1, 8)))
    return np.concatenate([low, low + size], axis=1)


def segments(max_size=6):
    return st.integers(0, max_size).flatmap(lambda n: arrays(float, (n, 4), elements=COORDINATE))


def pixels(rectangle):
    x0, y0, x1, y1 = map(int, rectangle)
    return {(x, y) for x in range(x0, x1) for y in range(y0, y1)}


@given(rectangles(), rectangles())
def test_the_overlap_is_the_number_of_common_pixels(a, b):
    expected = [[len(pixels(p) & pixels(q)) for q in b] for p in a]
    assert overlap_areas(a, b).tolist() == np.array(expected, float).reshape(len(a), len(b)).tolist()


@given(rectangles(), rectangles())
def test_the_distance_is_that_of_the_nearest_lattice_points(a, b):
    def corners(r):
        return [(x, y) for x in range(int(r[0]), int(r[2]) + 1) for y in range(int(r[1]), int(r[3]) + 1)]

    expected = [[min(math.dist(p, q) for p in corners(r) for q in corners(s)) for s in b] for r in a]
    assert np.allclose(distances(a, b), np.reshape(expected, (len(a), len(b))))


@given(segments(), rectangles())
def test_a_segment_meets_a_rectangle_where_one_of_its_points_lies_inside(lines, boxes):
    # Both ends on whole numbers up to 20: a stretch inside is longer than 1/400 of the segment, or there is none.
    shares = np.arange(1, 2000) / 2000
    for line, row in zip(lines, segments_meet_rectangles(lines, boxes), strict=True):
        points = line[:2] + shares[:, None] * (line[2:] - line[:2])
        for box, meets in zip(boxes, row, strict=True):
            assert meets == ((points > box[:2]) & (points < box[2:])).all(axis=1).any()


@given(segments(), segments())
def test_segments_cross_where_their_equations_have_a_solution_inside_both(a, b):
    crosses = segments_cross(a, b)
    for i, p in enumerate(a):
        for j, q in enumerate(b):
            matrix = np.array([p[2:] - p[:2], q[:2] - q[2:]]).T
            if round(np.linalg.det(matrix)) == 0:
                assert not crosses[i, j]
                continue
            s, t = np.linalg.solve(matrix, q[:2] - p[:2])
            assert crosses[i, j] == (1e-9 < s < 1 - 1e-9 and 1e-9 < t < 1 - 1e-9)


@given(rectangles(max_size=1), rectangles(max_size=1))
def test_a_link_joins_the_borders_at_the_distance_of_the_rectangles(a, b):
    if not (len(a) and len(b)):
        return
    (link,) = shortest_links(a, b)
    distance = distances(a, b)[0, 0]
    assert math.dist(link[:2], link[2:]) == pytest.approx(distance)
    assert (link[:2] >= a[0, :2]).all()
    assert (link[:2] <= a[0, 2:]).all()
    assert (link[2:] >= b[0, :2]).all()
    assert (link[2:] <= b[0, 2:]).all()


def test_no_segment_meets_or_crosses_nothing():
    nothing, diagonal = np.full((1, 4), np.nan), np.array([[0.0, 0, 9, 9]])
    assert not segments_meet_rectangles(nothing, diagonal).any()
    assert not segments_cross(nothing, diagonal[:, [2, 1, 0, 3]]).any()
    assert segments_cross(diagonal, diagonal[:, [2, 1, 0, 3]]).all()
