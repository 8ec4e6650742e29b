"""Text in boxes: fonts, label sizes, and labels drawn with smooth corners."""

from __future__ import annotations

import functools
import math
import unicodedata
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, features

from .colours import RGB, text_colour

#: How many times larger shapes are drawn before they are scaled down, for smooth edges.
SUPERSAMPLING = 4
#: Longer texts are cut: a class may be called anything.
MAX_CHARACTERS = 60
#: Letters that Unicode does not decompose into a base letter and an accent.
_BASE_LETTERS = {
    "ß": "ss",
    "æ": "ae",
    "Æ": "AE",
    "œ": "oe",
    "Œ": "OE",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
}
#: A code point that no font has a glyph for.
_NO_CHARACTER = "\U0010ffff"


def drawable(text: str, font_path: str | None = None) -> str:
    """The text as it is drawn: on one line, cut if long, letters without a glyph replaced.

    Pillow's font has the letters of English only: accents are left out there, other scripts become question marks.

    Examples
    --------
    >>> drawable("âge\\n 34 ± 6")
    'age 34 ± 6'
    """
    text = "".join(_with_glyphs(c, font_path) for c in _on_one_line(text))
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def has_glyphs(text: str, font_path: str | None = None) -> bool:
    """Whether the font has every letter of the text as it is drawn."""
    return all(_has_glyph(c, font_path) for c in _on_one_line(text) if not c.isspace())


def _on_one_line(text: str) -> str:
    """Without control characters, letters and their accents joined, as fonts have them."""
    joined = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(c for c in joined if c.isprintable())


@functools.lru_cache(maxsize=4096)
def _with_glyphs(character: str, font_path: str | None) -> str:
    """The character if the font has it, else its base letter, else a question mark."""
    base = _BASE_LETTERS.get(character, unicodedata.normalize("NFKD", character)[0])
    for candidate in (character, base):
        if all(_has_glyph(c, font_path) for c in candidate):
            return candidate
    return "?"


@functools.lru_cache(maxsize=4096)
def _has_glyph(character: str, font_path: str | None) -> bool:
    font = load_font(16, font_path)
    return bytes(font.getmask(character)) != bytes(font.getmask(_NO_CHARACTER))


@functools.lru_cache(maxsize=64)
def load_font(size_px: int, font_path: str | None = None) -> ImageFont.FreeTypeFont:
    """A scalable font: the file at ``font_path``, or Aileron Regular, which Pillow carries.

    Raises
    ------
    OSError
        If ``font_path`` is no font that FreeType reads.
    RuntimeError
        If Pillow was built without FreeType.
    """
    if font_path is not None:
        return ImageFont.truetype(font_path, size_px)
    if not features.check("freetype2"):
        raise RuntimeError("Pillow must be built with FreeType to draw labels; install Pillow from its wheels.")
    return ImageFont.load_default(size_px)


@dataclass(frozen=True)
class Label:
    """Lines of text in a filled box.

    Attributes
    ----------
    lines : tuple of str
        From top to bottom.
    text_px : int
        Font size in pixels.
    font_path : str or None
        As in :func:`load_font`.
    """

    lines: tuple[str, ...]
    text_px: int
    font_path: str | None = None

    @property
    def font(self) -> ImageFont.FreeTypeFont:
        return load_font(self.text_px, self.font_path)

    @property
    def padding_px(self) -> int:
        """Free pixels left and right of the text."""
        return max(2, round(0.3 * self.text_px))

    @property
    def line_px(self) -> int:
        """Height of one line."""
        return sum(self.font.getmetrics())

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the box in pixels."""
        widest = max(math.ceil(self.font.getlength(line)) for line in self.lines)
        margin = max(1, round(0.1 * self.text_px))
        return widest + 2 * self.padding_px, len(self.lines) * self.line_px + 2 * margin

    def draw(self, image: Image.Image, xy: tuple[int, int], fill: RGB) -> None:
        """Draws the label on an RGB image with its top left corner at ``xy``."""
        w, h = self.size_wh
        fill_rounded(image, (*xy, xy[0] + w, xy[1] + h), max(1, round(0.2 * self.text_px)), fill)
        pen = ImageDraw.Draw(image)
        top = xy[1] + (h - len(self.lines) * self.line_px) // 2
        for row, line in enumerate(self.lines):
            place = (xy[0] + self.padding_px, top + row * self.line_px)
            pen.text(place, line, fill=text_colour(fill), font=self.font)


def fill_rounded(image: Image.Image, box_xyxy: tuple[int, int, int, int], radius_px: int, fill: RGB) -> None:
    """Fills a half-open rectangle with smooth round corners."""
    x0, y0, x1, y1 = box_xyxy
    size = (SUPERSAMPLING * (x1 - x0), SUPERSAMPLING * (y1 - y0))
    mask = Image.new("L", size)
    end = (size[0] - 1, size[1] - 1)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *end), SUPERSAMPLING * radius_px, fill=255)
    image.paste(fill, (x0, y0), mask.reduce(SUPERSAMPLING))
