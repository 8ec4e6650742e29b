"""A font that can write the names at hand: Pillow's own has the letters of English only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from .text import has_glyphs

#: Where systems keep fonts with many scripts: Linux (Noto, DejaVu), macOS, Windows.
_PLACES = (
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "C:/Windows/Fonts/segoeui.ttf",
    "C:/Windows/Fonts/msyh.ttc",
)
_OF_MATPLOTLIB = "mpl-data/fonts/ttf/DejaVuSans.ttf"
_N_EXAMPLES = 3


def font_for(texts: Iterable[str], given: str | None = None) -> str | None:
    """The path of a font that has the letters of the texts; None for Pillow's own.

    Parameters
    ----------
    texts : iterable of str
    given : str, optional
        The user's choice: taken whatever it lacks.

    Returns
    -------
    str or None
        Where no font at hand has all letters, the one that can write most of the texts; stderr then says which it
        cannot.
    """
    texts = sorted(set(texts))
    candidates = [given] if given is not None else [None, *_installed()]
    lacking: dict[str | None, list[str]] = {}
    for font in candidates:
        lacking[font] = [text for text in texts if not has_glyphs(text, font)]
        if not lacking[font]:
            return font
    best = min(candidates, key=lambda font: len(lacking[font]))
    examples = ", ".join(repr(text) for text in lacking[best][:_N_EXAMPLES])
    print(
        f"note: {len(lacking[best])} of {len(texts)} names have letters that no font at hand has ({examples}); question "
        "marks are drawn for them, the tables have the names. Give a font with --font FILE",
        file=sys.stderr,
    )
    return best


def _installed() -> Iterator[str]:
    matplotlib = find_spec("matplotlib")
    places = (
        [] if matplotlib is None or matplotlib.origin is None else [Path(matplotlib.origin).parent / _OF_MATPLOTLIB]
    )
    for place in [*places, *map(Path, _PLACES)]:
        if place.is_file():
            yield str(place)
