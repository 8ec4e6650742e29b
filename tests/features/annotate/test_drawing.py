"""Pictures: every face has a box and a label that can be read, everything else stays as it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.annotate import draw_faces
from features.annotate.colours import GRAY, PALETTE
from features.annotate.planning import Style, outer_box, plan_labels
from tests.features.annotate.scenes import age, crowd, face, gender, race, square


def gray_image(height, width):
    return np.full((height, width, 3), 128, np.uint8)


def plan(faces, image_hw):
    style = Style.of(image_hw, None)
    return plan_labels(faces, np.array([outer_box(f, image_hw, style) for f in faces], float), image_hw, style)


def is_colour(picture, colour):
    return (picture == np.array(colour, np.uint8)).all(axis=2)


def test_the_line_lies_around_the_box_and_the_face_stays_free():
    picture = draw_faces(gray_image(400, 400), [square(100, 100, 100, gender())])
    assert (picture[100:200, 100:200] == 128).all()
    line = is_colour(picture, PALETTE[1])
    assert line[98:100, 98:202].all()
    assert line[98:202, 98:100].all()
    assert line[98:202, 200:202].all()
    assert line[200:202, 98:130].all()


def test_the_photo_is_not_changed_and_pixels_away_from_faces_stay():
    image = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    before = image.copy()
    picture = draw_faces(image, [square(150, 100, 60, gender(), age())])
    assert (image == before).all()
    assert (picture[:90] == before[:90]).all()
    assert (picture[:, :100] == before[:, :100]).all()
    assert (picture[250:] == before[250:]).all()
    assert picture.flags.writeable


def test_a_photo_without_faces_is_returned_as_a_copy():
    image = gray_image(10, 10)
    picture = draw_faces(image, [])
    assert (picture == image).all()
    assert not np.shares_memory(picture, image)


def test_text_is_drawn_once_in_the_labels_own_contrast_colour():
    faces = [square(100, 100, 100, gender())]
    picture = draw_faces(gray_image(400, 400), faces)
    ((label, place),) = plan(faces, (400, 400)).labels.values()
    x0, y0, x1, y1 = place.label_xyxy
    inside = picture[y0 + 4 : y1 - 4, x0 + 4 : x1 - 4].reshape(-1, 3).astype(float)
    # every pixel lies on the straight line from the fill to white: nothing else was drawn there
    fill = np.array(PALETTE[1], float)
    share = (inside - fill) @ (255 - fill) / ((255 - fill) @ (255 - fill))
    assert np.abs(inside - fill - share[:, None] * (255 - fill)).max() < 2
    assert share.max() > 0.95
    assert label.lines == ("female 97 %",)


def test_unsure_faces_have_a_gray_dashed_box():
    top = draw_faces(gray_image(400, 400), [square(100, 100, 100, gender(0.5))])[99, 98:202]
    gray = (top == np.array(GRAY)).all(axis=1)
    assert 0.3 < gray.mean() < 0.8
    assert np.abs(np.diff(gray.astype(int))).sum() >= 8
    assert gray[0]
    assert gray[-1]


@pytest.mark.parametrize(("long_side", "least_px"), [(200, 12), (400, 12), (1600, 15), (3207, 30), (6000, 56)])
def test_the_smallest_text_grows_with_the_photo(long_side, least_px):
    faces = [square(long_side // 2, long_side // 4, 30, gender())]
    ((label, _),) = plan(faces, (long_side // 2, long_side)).labels.values()
    assert least_px <= label.text_px <= 1.1 * least_px


def test_larger_faces_have_larger_text_and_thicker_lines_up_to_a_limit():
    style = Style.of((1000, 1400), None)
    sizes = [20, 60, 120, 200, 900]
    text = [style.text_px(px, 1.0) for px in sizes]
    lines = [style.line_px(px) for px in sizes]
    assert text == sorted(text)
    assert lines == sorted(lines)
    assert (text[0], text[-1]) == (13, 26)
    assert (lines[0], lines[-1]) == (1, 4)


def test_five_faces_with_three_decisions_are_labelled_beside_them():
    faces = crowd(5, 80, 180, 5, gender(), age(), race())
    made = plan(faces, (400, 1000))
    assert len(made.labels) == 5
    assert not made.legend


def test_a_crowd_gets_numbers_and_a_legend_below_the_photo():
    image = gray_image(420, 1000)
    faces = crowd(80, 30, 45, 20, gender(), age(), race())
    picture = draw_faces(image, faces)
    assert picture.shape[0] > 420
    assert picture.shape[1] == 1000
    made = plan(faces, (420, 1000))
    assert [label.lines for label, _ in made.labels.values()] == [(str(i + 1),) for i in range(80)]
    assert [entry.number for entry in made.legend] == [str(i + 1) for i in range(80)]
    assert made.legend[0].cells == ("female 97 %", "age 34 ± 6", "White 90 %")
    assert (picture[-5:] == 255).all()
    for entry_colour in {entry.colour for entry in made.legend}:
        assert is_colour(picture[420:], entry_colour).sum() > 1000


def test_numbers_are_preferred_to_many_labels_far_from_their_faces():
    # Twelve faces side by side in the middle of a large photo: all labels find a place, four of them with a leader.
    faces = [square(300 + 25 * (i % 4), 200 + 25 * (i // 4), 24, gender(), age()) for i in range(12)]
    made = plan(faces, (600, 800))
    assert [label.lines for label, _ in made.labels.values()] == [(str(i + 1),) for i in range(12)]
    assert len(made.legend) == 12


def test_the_legend_leaves_the_photo_at_its_place():
    image = np.random.default_rng(0).integers(0, 256, (100, 300, 3), dtype=np.uint8)
    picture = draw_faces(image, crowd(12, 20, 22, 12, gender(), age(), race()))
    assert picture.shape[0] > 100
    assert (picture[70:100, :300] == image[70:100]).all()


def test_a_face_without_decisions_has_a_box_but_no_label_and_its_status_in_the_legend():
    lonely = [face([50, 50, 70, 70], status="too_small"), square(120, 50, 60, gender())]
    assert list(plan(lonely, (300, 300)).labels) == [1]
    crowded = [*crowd(40, 20, 22, 20, gender(), age(), race()), face([5, 5, 12, 12], status="too_small")]
    assert plan(crowded, (60, 480)).legend[-1].cells[0] == "too small"


def test_a_number_without_room_is_said_so():
    made = plan(crowd(60, 6, 7, 12, gender()), (80, 110))
    without = [entry for entry in made.legend if "(no room for the number)" in entry.cells]
    assert len(made.labels) + len(without) == 60
    assert without


@st.composite
def pictures(draw):
    height, width = draw(st.integers(1, 200)), draw(st.integers(1, 200))
    faces = []
    for _ in range(draw(st.integers(0, 6))):
        x, y = draw(st.integers(-60, 250)), draw(st.integers(-60, 250))
        decisions = draw(st.lists(st.sampled_from([gender(), age(), race()]), unique_by=lambda d: d.task))
        faces.append(square(x, y, draw(st.integers(1, 260)), *decisions))
    return gray_image(height, width), faces


@given(pictures())
@settings(max_examples=25)
def test_any_faces_can_be_drawn_on_any_image(scene):
    image, faces = scene
    picture = draw_faces(image, faces)
    assert picture.dtype == np.uint8
    assert picture.shape[0] >= image.shape[0]
    assert picture.shape[1] >= image.shape[1]


def test_boxes_far_outside_the_image_are_drawn_at_its_border():
    picture = draw_faces(gray_image(100, 100), [face([1e9, 1e9, 2e9, 2e9], gender())])
    assert picture.shape == (100, 100, 3)


@pytest.mark.parametrize(
    "image", [None, np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3), float), np.zeros((0, 5, 3), np.uint8)]
)
def test_what_is_no_photo_is_refused(image):
    with pytest.raises(ValueError, match="uint8"):
        draw_faces(image, [])
