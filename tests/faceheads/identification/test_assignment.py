from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from faceheads.identification.assignment import NOBODY, assign_people

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 3))


def excess(similarity, chosen, threshold):
    return sum(similarity[i, k] - threshold for i, k in enumerate(chosen) if k != NOBODY)


@given(SHAPES.flatmap(lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.1, 0.5, 0.6, 0.7, 0.9]))))
def test_no_other_way_to_name_each_person_once_exceeds_the_threshold_by_more(similarity):
    threshold = 0.5
    chosen = assign_people(similarity, threshold)
    ways = product(range(NOBODY, similarity.shape[1]), repeat=len(similarity))
    allowed = [
        way
        for way in ways
        if len({k for k in way if k >= 0}) == sum(k >= 0 for k in way)
        and all(similarity[i, k] >= threshold for i, k in enumerate(way) if k >= 0)
    ]
    assert tuple(chosen) in allowed
    best = max(excess(similarity, way, threshold) for way in allowed)
    assert abs(excess(similarity, chosen, threshold) - best) < 1e-12


def test_a_similarity_equal_to_the_threshold_is_a_name_also_where_somebody_is_wanted_twice():
    assert list(assign_people(np.array([[0.5]]), 0.5)) == [0]
    assert list(assign_people(np.array([[0.5, 0.2], [0.9, 0.9]], np.float32), 0.5)) == [0, 1]


def test_photos_without_faces_and_galleries_without_people_have_no_names():
    assert assign_people(np.empty((0, 3)), 0.5).shape == (0,)
    assert list(assign_people(np.empty((2, 0)), 0.5)) == [NOBODY, NOBODY]
