"""Why a request is not answered, in words for the person in front of the page."""

from __future__ import annotations

_NOT_READ = {
    "empty file": "is empty",
    "not an image": "is not a picture that can be read here",
    "unsupported format": "has a format that is not read here",
    "zero size": "is a picture without pixels",
    "too many pixels": "has too many pixels",
    "truncated": "is incomplete: the end of the file is missing",
    "damaged": "is damaged",
    "too many bytes": "is too large",
}
_ADVICE = "Choose a JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF file."


class Refused(Exception):
    """A request that is not answered; the text is shown to the user."""


def unreadable(name: str, reason: str) -> Refused:
    """The refusal of a file that gives no picture.

    Parameters
    ----------
    name : str
        Of the file.
    reason : str
        Of :class:`faceheads.images.unreadable.UnreadableImage`.
    """
    phrase = next((phrase for phrase in _NOT_READ if reason.startswith(phrase)), None)
    if phrase is None:
        return Refused(f"“{name}” cannot be read. {_ADVICE}")
    detail = reason.removeprefix(phrase).strip(" :()")
    is_useful = phrase in ("unsupported format", "too many pixels") and detail
    return Refused(f"“{name}” {_NOT_READ[phrase]}{f' ({detail})' if is_useful else ''}. {_ADVICE}")
