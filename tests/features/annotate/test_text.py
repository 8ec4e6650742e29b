"""Labels are as large as their text, smooth, and free of letters that the font lacks."""

import numpy as np
import pytest
from PIL import Image

from features.annotate.text import MAX_CHARACTERS, Label, drawable, load_font


def painted(label):
    """A label drawn on gray with some room around it."""
    w, h = label.size_wh
    image = Image.new("RGB", (w + 20, h + 20), (128, 128, 128))
    label.draw(image, (10, 10), (230, 159, 0))
    return np.array(image)


@pytest.mark.parametrize("lines", [("female 97 %",), ("female 97 %", "age 34 ± 6", "gjpqy ÄÖ")])
@pytest.mark.parametrize("text_px", [8, 12, 40])
def test_a_label_is_drawn_inside_its_size_and_its_text_inside_the_label(lines, text_px):
    picture = painted(Label(lines, text_px))
    changed = (picture != 128).any(axis=2)
    assert changed[10:-10, 10:-10].mean() > 0.95
    changed[10:-10, 10:-10] = False
    assert not changed.any()
    dark = picture.sum(axis=2) < 200
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    assert rows[0] > 10
    assert rows[-1] < picture.shape[0] - 11
    assert columns[0] > 10
    assert columns[-1] < picture.shape[1] - 11


def test_more_lines_are_higher_and_larger_text_is_wider():
    assert Label(("a", "b"), 12).size_wh[1] > 1.8 * Label(("a",), 12).size_wh[1]
    assert Label(("female",), 24).size_wh[0] > 1.8 * Label(("female",), 12).size_wh[0]


def test_corners_are_round_and_smooth():
    corner = painted(Label(("female",), 40))[10:18, 10:18].astype(int)
    assert (corner[0, 0] == 128).all()
    values = {tuple(v) for v in corner.reshape(-1, 3)}
    assert len(values) > 3


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("female 97 %", "female 97 %"),
        ("age 34 ± 6  ·  x", "age 34 ± 6 · x"),
        ("Ümläut é ñ", "Umlaut e n"),
        ("Straße øre łódź", "Strasse ore lodz"),
        ("中文 🙂", "?? ?"),
        ("two\nlines\tand\x00 more\u202e", "two lines and more"),
        ("\ud800", ""),
        ("x" * 100, "x" * (MAX_CHARACTERS - 1) + "…"),
    ],
)
def test_text_is_drawn_on_one_line_with_the_letters_that_the_font_has(text, drawn):
    assert drawable(text) == drawn


def test_a_font_with_more_letters_keeps_them():
    matplotlib = pytest.importorskip("matplotlib")
    font = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
    assert drawable("Ümläut é ß", font) == "Ümläut é ß"
    assert Label(("Ü",), 20, font).size_wh != Label(("Ü",), 20).size_wh


def test_a_file_that_is_no_font_is_refused(tmp_path):
    (tmp_path / "no.ttf").write_bytes(b"nothing")
    with pytest.raises(OSError, match="font|format|resource"):
        load_font(12, str(tmp_path / "no.ttf"))


def test_without_freetype_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setattr("features.annotate.text.features.check", lambda name: False)
    with pytest.raises(RuntimeError, match="install Pillow"):
        load_font.__wrapped__(12, None)
