"""The style of pictures: told apart without colour, the same bytes every time, no formulas in labels."""

import io
import sys
import warnings

import pytest

from faceheads.report import style
from faceheads.report.extra import MissingPackage

image = pytest.importorskip("matplotlib.image")


def draw_words(words):
    def draw(figure):
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], label=words)
        axes.set_title(words)
        axes.legend()

    return style.draw_png(draw)


def test_what_differs_differs_in_more_than_its_colour():
    looks = [style.look(i) for i in range(style.N_LOOKS)]
    for name in ("colour", "line", "marker", "hatch"):
        assert len({getattr(look, name) for look in looks}) == len(looks) == 7
    assert style.look(style.N_LOOKS) == looks[0]


def test_colours_are_readable_on_white():
    for i in range(style.N_LOOKS):
        code = style.look(i).colour
        red, green, blue = (int(code[k : k + 2], 16) / 255 for k in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (luminance + 0.05) > 2.1  # contrast as WCAG 2 defines it; the palette's yellow has 1.3


def test_a_picture_has_the_same_bytes_in_every_run_and_changes_no_settings():
    import matplotlib

    before = dict(matplotlib.rcParams)
    first = draw_words("a")
    assert first == draw_words("a") != draw_words("b")
    assert dict(matplotlib.rcParams) == before
    assert image.imread(io.BytesIO(first)).shape[:2] == (round(3.2 * 180), round(4.2 * 180))


def test_labels_of_any_kind_are_drawn_as_they_are():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_words("$\\frac{1$ %s {} 日本 \\n")


def test_a_long_label_is_shortened_and_on_one_line():
    assert style.shorten("a\nb  c") == "a b c"
    assert style.shorten("x" * 30, 5) == "xxxx…"


def test_without_matplotlib_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackage, match=r"needs matplotlib.*faceheads\[report\]\", or do without\."):
        style.draw_png(lambda figure: None, instead="do without")
