"""The Markdown: words that stay words, tables that stay tables, pictures that are there."""

import re

from faceheads.report.markdown import escape, markdown
from faceheads.report.writing import write_document
from tests.faceheads.report.hostile import EVIL, document


def test_whatever_stands_in_files_is_no_markup():
    text = markdown(document())
    outside = "\n".join(
        line for line in text.splitlines() if not line.startswith("    ")
    )  # a code block shows all as it is
    assert not re.search(r"<(?!br>)", outside)
    assert "](javascript" not in outside
    assert not re.search(r"(?<!\\)[`*]", outside)
    assert "\n# e" not in text


def test_each_row_of_a_table_has_the_cells_of_its_header():
    lines = [line for line in markdown(document()).splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {3, 4}


def test_words_are_told_as_they_are_where_they_are_harmless():
    assert escape("EER, (FMR + FNMR) / 2 of a_b: 1.2 % [1, 2]") == "EER, (FMR + FNMR) / 2 of a_b: 1.2 % [1, 2]"
    assert escape("a & b < c\\d") == "a &amp; b &lt; c\\\\d"


def test_the_folder_holds_the_page_the_markdown_and_every_picture_that_it_names(tmp_path):
    page, text = write_document(tmp_path / "new" / "folder", "report", document(EVIL))
    assert (page.name, text.name) == ("report.html", "report.md")
    named = re.findall(r"\]\((pictures/[^)]*)\)", text.read_text(encoding="utf-8"))
    assert named == ["pictures/chart.png", "pictures/faces_01.jpg"]
    assert [(text.parent / name).read_bytes() for name in named] == [b"png", b"jpeg"]
    assert {path.name for path in text.parent.iterdir()} == {"report.html", "report.md", "pictures"}
