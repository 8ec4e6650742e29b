"""Colours that people with a colour vision deficiency can tell apart, and the text colour that can be read on each.

References
----------
Okabe, Ito (2008), "Color universal design", https://jfly.uni-koeln.de/color/: the palette.
W3C, Web Content Accessibility Guidelines 2.1, "relative luminance" and "contrast ratio".
"""

from __future__ import annotations

from faceheads.identification.gallery import UNKNOWN

from .decisions import Decision, FaceDecisions

RGB = tuple[int, int, int]

BLACK: RGB = (0, 0, 0)
WHITE: RGB = (255, 255, 255)
#: For faces about which nothing sure is known.
GRAY: RGB = (217, 217, 217)
#: Okabe and Ito without black. The first two differ in gray as well, since most tasks have two classes.
PALETTE: tuple[RGB, ...] = (
    (230, 159, 0),  # orange
    (0, 114, 178),  # blue
    (240, 228, 66),  # yellow
    (0, 158, 115),  # bluish green
    (204, 121, 167),  # reddish purple
    (86, 180, 233),  # sky blue
    (213, 94, 0),  # vermilion
)


def relative_luminance(colour: RGB) -> float:
    """Luminance between 0 (black) and 1 (white) of an sRGB colour."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast_ratio(a: RGB, b: RGB) -> float:
    """Contrast of two colours between 1 (equal) and 21 (black on white)."""
    dark, light = sorted((relative_luminance(a), relative_luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def text_colour(background: RGB) -> RGB:
    """Black or white, whichever contrasts more."""
    return max((BLACK, WHITE), key=lambda colour: contrast_ratio(colour, background))


def face_colour(face: FaceDecisions) -> RGB:
    """The colour of the first decision that has classes: one colour a class, the same in every photo.

    Unsure and unknown faces are gray, as are those without decisions; faces with numbers only have the first colour.
    """
    if not face.decisions:
        return GRAY
    for decision in face.decisions:
        if decision.predicted is not None:
            is_gray = decision.is_unsure or decision.predicted == UNKNOWN
            return GRAY if is_gray else _class_colour(decision)
    return PALETTE[0]


def _class_colour(decision: Decision) -> RGB:
    if decision.palette_position is not None:
        return PALETTE[decision.palette_position % len(PALETTE)]
    if decision.probabilities is None:
        return PALETTE[0]
    return PALETTE[list(decision.probabilities).index(decision.predicted) % len(PALETTE)]
