"""A document with one of each block, all words of which try to be something else than words."""

from faceheads.report.document import (
    Command,
    Document,
    Figure,
    Gallery,
    Heading,
    Headline,
    Measured,
    Note,
    Picture,
    Pictures,
    Section,
    Table,
    Text,
    Tile,
)

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7*7 }} [a](javascript:b) | `c` *d*\n# e"


def document(words=EVIL):
    blocks = (
        Text(words),
        Note(words),
        Heading(words),
        Command(words),
        Headline((Figure(words, Measured(words, words), words),)),
        Table((words, words), ((words, Measured(words, words)),), words),
        Pictures((Picture("chart", b"png", words),)),
        Gallery("faces", (Tile(b"jpeg", (words, words)), Tile(None, (words,)))),
    )
    return Document(words, words, (Section(words, blocks),), words)
