import base64

import numpy as np
import pytest

from benchmarks.hostile_photos import encoded, hostile_requests, picture
from features.webapp.limits import Limits
from features.webapp.photo import PhotoReader, reduced, short_name
from features.webapp.refusal import Refused, unreadable

READER = PhotoReader(Limits(file_bytes=20_000, pixels=100_000, working_pixels=2_000, photos=3))


def sent(data, name="a.png", head="data:image/png;base64,"):
    return {"name": name, "data": head + base64.b64encode(data).decode()}


def test_a_photo_becomes_its_pixels():
    photo = PhotoReader(Limits()).read(sent(encoded(picture(), "PNG"), "C:/photos/team.png"))
    assert photo.name == "team.png"
    assert not photo.is_reduced
    assert np.array_equal(photo.rgb, np.asarray(picture()))


def test_a_photo_that_is_larger_than_what_is_worked_on_is_made_smaller():
    photo = READER.read(sent(encoded(picture(), "PNG")))
    assert photo.is_reduced
    assert photo.original_hw == (60, 80)
    assert photo.rgb.shape == (39, 52, 3)


def test_a_picture_of_the_allowed_size_is_not_touched_and_a_line_keeps_a_pixel():
    rgb = np.zeros((40, 50, 3), np.uint8)
    assert reduced(rgb, 2000) is rgb
    assert reduced(np.zeros((1, 5000, 3), np.uint8), 100).shape == (1, 707, 3)


def test_an_example_is_a_file_of_the_server(tmp_path):
    (tmp_path / "b.png").write_bytes(encoded(picture(), "PNG"))
    assert PhotoReader(Limits(), (tmp_path / "b.png",)).read({"example": 0}).name == "b.png"


@pytest.mark.parametrize("request_", list(hostile_requests()), ids=lambda request: request.what)
def test_whatever_else_is_sent_is_refused(request_):
    with pytest.raises(Refused):
        READER.read(request_.payload)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello", "is not a picture that can be read here"),
        (b"", "is empty"),
        (encoded(picture(), "PNG")[:60], "is incomplete|is damaged"),
        (b"<svg/>", r"has a format that is not read here \(SVG\)"),
        (b"8BPS", r"\(Photoshop\)"),
        (encoded(picture("L", (400, 400)), "PNG"), r"too many pixels \(400 x 400 \(at most 100000"),
        (bytes(21_000), "has 0 MB; the page takes at most 0 MB"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_a_sentence(data, words):
    with pytest.raises(Refused, match=words) as refused:
        READER.read(sent(data))
    assert str(refused.value).endswith(".")
    assert "“a.png”" in str(refused.value)


def test_a_reason_that_nobody_foresaw_is_told_without_its_details():
    assert str(unreadable("a.png", "no permission: /home/x")).startswith("“a.png” cannot be read. Choose")


@pytest.mark.parametrize("sent_", [None, [], "abc", 7, {"name": "a"}])
def test_several_photos_must_be_a_list_of_some(sent_):
    with pytest.raises(Refused, match="Choose some photos first"):
        READER.check_number(sent_)


def test_more_photos_than_the_page_groups_are_refused():
    assert len(READER.check_number([{}] * 3)) == 3
    with pytest.raises(Refused, match="4 photos; the page groups at most 3"):
        READER.check_number([{}] * 4)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("a/b/c.jpg", "c.jpg"),
        ("", "photo"),
        (None, "photo"),
        ("..", ".."),
        ("a\0b\u202e.png", "ab.png"),
        ("/", "photo"),
    ],
)
def test_names_are_the_last_part_without_what_cannot_be_printed(name, short):
    assert short_name(name) == short


def test_long_names_keep_both_ends():
    assert short_name("a" * 90 + "z.png") == "a" * 29 + "…" + "a" * 25 + "z.png"
