"""A document as Markdown with pictures beside it. Needs no other package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .document import Cell, Command, Document, Gallery, Heading, Headline, Note, Pictures, Table, Text

#: Folder of the pictures, beside the Markdown file.
PICTURES = "pictures"
#: Photos in one row.
_N_COLUMNS = 6
#: What has a meaning in Markdown wherever it stands; the backslash goes first.
_ESCAPES = {
    "\\": "\\\\",
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "|": "\\|",
    "`": "\\`",
    "*": "\\*",
    "](": "]\\(",
}


def markdown(document: Document) -> str:
    """The document as Markdown; pictures are named as :func:`picture_files` names them."""
    parts = [f"# {escape(document.title)}", escape(document.lead)]
    for section in document.sections:
        parts.append(f"## {escape(section.title)}")
        parts += [block_text(block) for block in section.blocks]
    return "\n\n".join(part for part in [*parts, escape(document.footer)] if part) + "\n"


def block_text(block: object) -> str:
    """One block as Markdown."""
    return _WRITERS[type(block)](block)


def escape(words: str) -> str:
    """Plain text as Markdown that shows it: no markup, no HTML, one line."""
    line = " ".join(str(words).split())
    for mark, escaped in _ESCAPES.items():
        line = line.replace(mark, escaped)
    return line


def picture_files(document: Document) -> Iterator[tuple[str, bytes]]:
    """Name, relative to the Markdown file, and content of every picture."""
    for block in (block for section in document.sections for block in section.blocks):
        if isinstance(block, Pictures):
            yield from ((f"{PICTURES}/{picture.name}.png", picture.png) for picture in block.pictures)
        if isinstance(block, Gallery):
            named = zip(_tile_names(block), block.tiles, strict=True)
            yield from ((name, tile.jpeg) for name, tile in named if tile.jpeg is not None)


def _tile_names(gallery: Gallery) -> list[str]:
    return [f"{PICTURES}/{gallery.name}_{i + 1:02d}.jpg" for i in range(len(gallery.tiles))]


def _headline(block: Headline) -> str:
    return _grid(("", "", ""), [(f.label, f.number, f.beside) for f in block.figures])


def _table(block: Table) -> str:
    grid = _grid(block.header, block.rows)
    return f"{grid}\n\n{escape(block.caption)}" if block.caption else grid


def _grid(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    return _lines([escape(word) for word in header], [[escape(str(cell)) for cell in row] for row in rows])


def _lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _pictures(block: Pictures) -> str:
    return "\n\n".join(f"![{escape(p.caption)}]({PICTURES}/{p.name}.png)" for p in block.pictures)


def _gallery(block: Gallery) -> str:
    cells = []
    for name, tile in zip(_tile_names(block), block.tiles, strict=True):
        photo = "no photo" if tile.jpeg is None else f"![]({name})"
        cells.append("<br>".join([photo, *(escape(line) for line in tile.lines)]))
    width = min(_N_COLUMNS, len(cells))
    cells += [""] * (-len(cells) % max(width, 1))
    return _lines([""] * width, [cells[i : i + width] for i in range(0, len(cells), max(width, 1))])


def _fenced(block: Command) -> str:
    return "\n".join(f"    {line}" for line in block.words.splitlines())


_WRITERS = {
    Text: lambda block: escape(block.words),
    Note: lambda block: f"> {escape(block.words)}",
    Heading: lambda block: f"### {escape(block.words)}",
    Command: _fenced,
    Headline: _headline,
    Table: _table,
    Pictures: _pictures,
    Gallery: _gallery,
}
