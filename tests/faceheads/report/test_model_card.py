"""The words of a model card: from a small JSON file, or honest defaults."""

import pytest

from faceheads.report.training import CardError, ModelCard, read_card


def test_a_file_says_what_it_wants_to_say_and_the_rest_stays_as_it_is(tmp_path):
    (tmp_path / "card.json").write_text('{"terms": "CC0", "contact": "Jürgen"}', encoding="utf-8")
    card = read_card(tmp_path / "card.json")
    assert (card.terms, card.contact, card.intended_use) == ("CC0", "Jürgen", ModelCard().intended_use)
    assert ModelCard().data == "not stated"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"licence": "MIT"}', r"also has \['licence'\]"),
        (b'{"terms": 3}', "holds something else"),
        (b'["terms"]', "holds something else"),
        (b"{", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 60_000, "is no JSON"),
        (b'{"terms": "' + b"x" * 70_000 + b'"}', "at most 65,536 bytes"),
        (None, "there is no file"),
    ],
)
def test_what_is_wrong_with_a_card_is_told(tmp_path, content, words):
    path = tmp_path / "card.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CardError, match=f"--card must be a JSON file with texts for some of data, terms.*{words}"):
        read_card(path)
