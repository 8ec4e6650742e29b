"""How every picture of the project looks: readable in gray and by colour-blind people, small enough for a phone.

What differs differs in more than its colour: lines also in their dashes, points in their markers, areas in their hatches.

References
----------
M. Okabe, K. Ito, Color Universal Design, 2008: the palette; its yellow is left out, which is too light on white.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .extra import require

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
#: Of lines that only help to read, of filled bands, of words that stand back.
GUIDE, BAND, QUIET = "0.6", "0.88", "0.35"
#: Dark where much is: one hue, so that gray tells the same.
SHADES = "Blues"
_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
_LINES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (3, 4)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_HATCHES = ("", "///", "...", "xxx", "\\\\\\", "ooo", "+++")
#: Looks that can be told apart.
N_LOOKS = len(_COLOURS)
#: Width and height in inches of a chart that a phone shows without making its words too small.
SIZE = (4.2, 3.2)
_SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.edgecolor": "0.3",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.7,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "figure.dpi": 180,
    "savefig.dpi": 180,
    "savefig.facecolor": "white",
    "text.parse_math": False,  # a label with a dollar sign is no formula
}


@dataclass(frozen=True)
class Look:
    """How one of several things is drawn: arguments of matplotlib."""

    colour: str
    line: Any
    marker: str
    hatch: str


def look(position: int) -> Look:
    """The look of the thing at a position; after :data:`N_LOOKS` they come again."""
    i = position % N_LOOKS
    return Look(_COLOURS[i], _LINES[i], _MARKERS[i], _HATCHES[i])


def draw_png(draw: Callable[[Any], None], size: tuple[float, float] = SIZE, instead: str = "") -> bytes:
    """A picture as PNG, the same bytes in every run.

    Parameters
    ----------
    draw : callable
        Takes an empty matplotlib figure with constrained layout and draws on it.
    size : (width, height) in inches
    instead : str
        What the user can do without matplotlib, for the error's message.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    matplotlib, figures = require("matplotlib", "matplotlib.figure", instead=instead)
    buffer = io.BytesIO()
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        # Labels in scripts that the font lacks show as boxes; the tables beside the picture have them right.
        warnings.filterwarnings("ignore", r"Glyph \d+", UserWarning)
        figure = figures.Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def percent_axis(axis: Any) -> None:
    """Tell the ticks of an axis of shares in percent."""
    axis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")


def shorten(words: str, n: int = 22) -> str:
    """A label that leaves room for the picture: at most ``n`` characters, on one line."""
    line = " ".join(str(words).split())
    return line if len(line) <= n else line[: n - 1] + "…"
