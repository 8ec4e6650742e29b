from pathlib import Path

import pytest

from features.annotate import fonts
from features.annotate.fonts import font_for
from features.annotate.text import drawable, has_glyphs


@pytest.fixture
def dejavu():
    matplotlib = pytest.importorskip("matplotlib")
    return str(Path(matplotlib.__file__).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf")


def test_names_in_english_letters_take_pillows_own_font():
    assert font_for(["Ada Lovelace 0.98", "unknown"]) is None


def test_other_letters_take_a_font_that_has_them(dejavu, monkeypatch, capsys):
    monkeypatch.setattr(fonts, "_installed", lambda: iter([dejavu]))
    assert font_for(["Ada", "Анна", "Zoe\u0308"]) == dejavu
    assert capsys.readouterr().err == ""
    assert drawable("Zoe\u0308 Анна", dejavu) == "Zoë Анна"


def test_letters_that_no_font_has_are_told(dejavu, monkeypatch, capsys):
    monkeypatch.setattr(fonts, "_installed", lambda: iter([dejavu]))
    assert font_for(["Анна", "王秀英"]) == dejavu
    assert "1 of 2 names have letters that no font at hand has ('王秀英')" in capsys.readouterr().err
    assert drawable("王秀英", dejavu) == "???"


def test_the_users_font_is_taken_whatever_it_lacks(dejavu, capsys):
    assert font_for(["王秀英"], dejavu) == dejavu
    assert "--font" in capsys.readouterr().err


def test_control_characters_are_no_letters():
    assert has_glyphs("a\u202eb\u0000", None)
