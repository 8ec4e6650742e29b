"""Labels lie inside the picture, do not overlap, and it is plain whose they are."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.annotate.layout import LayoutRules, place_labels


@st.composite
def scenes(draw):
    """Boxes, label sizes and an image; from one face to a dense crowd, boxes reach beyond the image at times."""
    height, width = draw(st.integers(1, 400)), draw(st.integers(1, 400))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(0, 25))
    size = rng.uniform(1, draw(st.sampled_from([30, 120, 500])), (n, 2))
    low = rng.uniform(-20, [width, height], (n, 2))
    labels = [[tuple(int(v) for v in rng.integers(5, 90, 2)) for _ in range(rng.integers(1, 3))] for _ in range(n)]
    return np.concatenate([low, low + size], axis=1), labels, (height, width)


def overlap(a, b, gap=0):
    return a[0] < b[2] + gap and b[0] < a[2] + gap and a[1] < b[3] + gap and b[1] < a[3] + gap


def touches(a, b):
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def on_border(point, box):
    x, y = point
    inside = box[0] <= x <= box[2] and box[1] <= y <= box[3]
    return inside and (x in (box[0], box[2]) or y in (box[1], box[3]))


def visible(box, image_hw):
    """The part of a box that is in the image, on whole pixels; at least one pixel at the border."""
    height, width = image_hw
    x0, y0 = min(max(np.floor(box[0]), 0), width - 1), min(max(np.floor(box[1]), 0), height - 1)
    return x0, y0, max(min(np.ceil(box[2]), width), x0 + 1), max(min(np.ceil(box[3]), height), y0 + 1)


def crosses(a, b):
    """Whether the lines through both segments meet at a point inside both."""
    matrix = np.array([[a[2] - a[0], b[0] - b[2]], [a[3] - a[1], b[1] - b[3]]])
    if abs(np.linalg.det(matrix)) < 1e-9:
        return False
    s, t = np.linalg.solve(matrix, [b[0] - a[0], b[1] - a[1]])
    return 1e-9 < s < 1 - 1e-9 and 1e-9 < t < 1 - 1e-9


@given(scenes())
@settings(max_examples=40)
def test_every_label_is_inside_apart_from_the_others_and_tied_to_its_own_box(scene):
    boxes, sizes, image_hw = scene
    rules = LayoutRules(gap_px=3)
    places = place_labels(boxes, sizes, image_hw, rules)
    assert len(places) == len(boxes)
    placed = [(i, p) for i, p in enumerate(places) if p is not None]
    for i, place in placed:
        x0, y0, x1, y1 = place.label_xyxy
        assert (x1 - x0, y1 - y0) == sizes[i][place.shape_index]
        assert min(x0, y0) >= 0
        assert x1 <= image_hw[1]
        assert y1 <= image_hw[0]
        box = visible(boxes[i], image_hw)
        if place.leader_xyxy is None:
            assert touches(place.label_xyxy, box)
        else:
            assert not overlap(place.label_xyxy, box)
            assert on_border(place.leader_xyxy[:2], place.label_xyxy)
            assert on_border(place.leader_xyxy[2:], box)
    for k, (_, a) in enumerate(placed):
        for _, b in placed[k + 1 :]:
            assert not overlap(a.label_xyxy, b.label_xyxy, rules.gap_px)


@given(scenes())
@settings(max_examples=40)
def test_leaders_neither_cross_nor_pass_under_labels(scene):
    placed = [p for p in place_labels(*scene) if p is not None]
    shares = np.linspace(0, 1, 400)[1:-1, None]
    for a in placed:
        if a.leader_xyxy is None:
            continue
        start, end = np.array(a.leader_xyxy[:2]), np.array(a.leader_xyxy[2:])
        points = start + shares * (end - start)
        for b in placed:
            assert b is a or b.leader_xyxy is None or not crosses(a.leader_xyxy, b.leader_xyxy)
            box = np.array(b.label_xyxy)
            assert not ((points > box[:2] + 0.01) & (points < box[2:] - 0.01)).all(axis=1).any()


@pytest.mark.parametrize("seed", range(4))
def test_leaders_do_not_cross_in_dense_crowds(seed):
    rng = np.random.default_rng(seed)
    low = rng.integers(100, 200, (22, 2))
    boxes = np.concatenate([low, low + rng.integers(8, 30, (22, 2))], axis=1)
    places = place_labels(boxes, [[(40, 20)]] * 22, (300, 300), LayoutRules(max_cover=0.3, rings=6))
    leaders = [p.leader_xyxy for p in places if p is not None and p.leader_xyxy is not None]
    assert len(leaders) > 5
    assert not any(crosses(a, b) for a, b in itertools.combinations(leaders, 2))


@given(scenes())
@settings(max_examples=10)
def test_the_same_scene_gives_the_same_places(scene):
    assert place_labels(*scene) == place_labels(*scene)


@given(scenes())
@settings(max_examples=40)
def test_a_label_covers_little_of_any_face(scene):
    boxes, sizes, image_hw = scene
    seen = [visible(box, image_hw) for box in boxes]
    for i, place in enumerate(place_labels(boxes, sizes, image_hw, LayoutRules(max_cover=0.1))):
        for j, box in enumerate(seen if place is not None else []):
            width = min(place.label_xyxy[2], box[2]) - max(place.label_xyxy[0], box[0])
            height = min(place.label_xyxy[3], box[3]) - max(place.label_xyxy[1], box[1])
            share = max(0, width) * max(0, height) / ((box[2] - box[0]) * (box[3] - box[1]))
            assert share <= (0.2 if i == j else 0.1) + 1e-9


def test_a_lonely_label_hangs_below_the_middle_of_its_box():
    (place,) = place_labels([[100, 100, 160, 160]], [[(40, 20)]], (400, 400))
    assert place.label_xyxy == (110, 160, 150, 180)
    assert place.leader_xyxy is None


def test_a_label_moves_above_where_below_is_no_room():
    (place,) = place_labels([[100, 340, 160, 400]], [[(40, 20)]], (400, 400))
    assert place.label_xyxy == (110, 320, 150, 340)


def test_a_label_slides_along_its_box_to_stay_inside():
    (place,) = place_labels([[42, 20, 62, 60]], [[(80, 20)]], (200, 90))
    assert place.label_xyxy == (10, 60, 90, 80)


def test_a_label_covers_the_end_of_a_face_that_fills_the_picture():
    (place,) = place_labels([[20, 10, 180, 170]], [[(100, 50)]], (200, 200))
    assert place.label_xyxy == (50, 150, 150, 200)
    assert place.leader_xyxy is None


def test_a_label_without_room_has_no_place():
    assert place_labels([[0, 0, 50, 50]], [[(60, 20)]], (50, 50)) == [None]
    assert place_labels([[0, 0, 50, 50]], [[]], (50, 50)) == [None]


def test_the_second_shape_is_taken_where_the_first_does_not_fit():
    (place,) = place_labels([[20, 20, 60, 60]], [[(200, 20), (40, 20)]], (100, 100))
    assert place.shape_index == 1


def test_no_boxes_have_no_labels():
    assert place_labels(np.empty((0, 4)), [], (100, 100)) == []


def test_a_row_of_faces_gets_its_labels_without_leaders():
    boxes = [[20 + 60 * i, 100, 60 + 60 * i, 140] for i in range(10)]
    places = place_labels(boxes, [[(50, 15)]] * 10, (300, 700))
    assert all(p is not None and p.leader_xyxy is None for p in places)


@pytest.mark.parametrize("n_columns", [8, 12])
def test_eighty_numbers_fit_into_a_crowd_of_small_faces(n_columns):
    rng = np.random.default_rng(0)
    corners = [(40 + 75 * (i % n_columns), 40 + 60 * (i // n_columns)) for i in range(80)]
    boxes = np.array([[x, y, x + 30, y + 30] for x, y in corners]) + rng.integers(-10, 10, (80, 1))
    places = place_labels(boxes, [[(20, 16)]] * 80, (800, 1024), LayoutRules(gap_px=1, max_cover=0.3, rings=6))
    assert all(p is not None for p in places)
