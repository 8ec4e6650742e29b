"""The page: one file, nothing from outside, and words that stay words."""

import base64
import re
import sys

import pytest

from faceheads.report.document import Document, Gallery, Measured, Picture, Section, Table
from faceheads.report.extra import MissingPackage
from faceheads.report.html import html
from tests.faceheads.report.hostile import EVIL, document
from tests.faceheads.report.pages import Page

N_WORDS = 24  # places of `document()` at which a reader sees the words


def test_whatever_stands_in_files_is_shown_and_not_executed():
    page = Page(html(document()))
    assert not {"script", "iframe", "object"} & page.tags()
    assert not [attributes for _, attributes in page.elements if any(name.startswith("on") for name in attributes)]
    assert page.words.count(" ".join(EVIL.split())) >= N_WORDS
    assert "49" not in page.words
    assert {source for source in page.sources() if not source.startswith("data:image/")} == {"#s1"}


def test_every_element_is_as_with_harmless_words():
    evil, plain = (Page(html(document(words))) for words in (EVIL, re.sub(r"\S", "a", EVIL)))
    assert [tag for tag, _ in evil.elements] == [tag for tag, _ in plain.elements]


def test_the_page_holds_its_pictures_and_forbids_everything_else():
    page = Page(html(document()))
    pictures = [attributes["src"].partition(",") for tag, attributes in page.elements if tag == "img"]
    assert [(kind, base64.b64decode(data)) for kind, _, data in pictures] == [
        ("data:image/png;base64", b"png"),
        ("data:image/jpeg;base64", b"jpeg"),
    ]
    (policy,) = [a["content"] for tag, a in page.elements if tag == "meta" and "http-equiv" in a]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_every_picture_has_words_for_those_who_do_not_see_it():
    page = Page(html(document("words")))
    assert all(attributes["alt"].startswith("words") for tag, attributes in page.elements if tag == "img")


def test_the_page_fits_phones_dark_screens_and_paper():
    text = html(document())
    for words in ("width=device-width", "prefers-color-scheme: dark", "@media print", "max-width: 40rem"):
        assert words in text


def test_a_number_and_its_percent_sign_stay_on_one_line():
    table = Table(("a", "b"), (("x", Measured("93.4 %", "92.5, 94.1")),))
    text = html(Document("t", "7 %", (Section("s", (table,)),)))
    assert "<b>93.4\N{NO-BREAK SPACE}%</b> <small>[92.5, 94.1]</small>" in text
    assert "7\N{NO-BREAK SPACE}%" in text


def test_a_row_with_too_few_cells_is_an_error():
    with pytest.raises(ValueError, match="each row must have 2 cells, as the header; got 1"):
        Table(("a", "b"), (("c",),))


@pytest.mark.parametrize("name", ["../x", "a/b", "", "a.png", "a b"])
def test_the_name_of_a_picture_names_no_other_file(name):
    for make in (lambda: Picture(name, b"", ""), lambda: Gallery(name, ())):
        with pytest.raises(ValueError, match="the name of a picture must be letters, digits, - and _"):
            make()


def test_without_jinja2_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(
        MissingPackage, match=r'needs jinja2, which is not installed: pip install "faceheads\[report\]"'
    ):
        html(document())
