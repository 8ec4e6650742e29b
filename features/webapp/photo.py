"""What the page sends for a photo, and the picture that it becomes.

A photo comes as ``{"name": "team.jpg", "data": "data:image/jpeg;base64,…"}``, an example as ``{"example": 2}``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from PIL import Image

from faceheads.images.reading import read_image
from faceheads.images.unreadable import UnreadableImage

from .limits import MEGABYTE, Limits
from .refusal import Refused, unreadable

_LONGEST_NAME = 60
_BASE64 = ";base64,"
NO_PHOTO = "Choose a photo first."


@dataclass(frozen=True, eq=False)
class AppPhoto:
    """A photo as the app works on it.

    Attributes
    ----------
    name : str
        Of the file, shortened.
    rgb : ndarray of shape (height, width, 3), uint8, RGB
    original_hw : tuple of int
        Height and width before it was made smaller.
    """

    name: str
    rgb: np.ndarray
    original_hw: tuple[int, int]

    @property
    def is_reduced(self) -> bool:
        """Whether the photo was made smaller."""
        return self.rgb.shape[:2] != self.original_hw


@dataclass(frozen=True)
class PhotoReader:
    """Makes pictures of what the page sends.

    Attributes
    ----------
    limits : Limits
    examples : tuple of Path
        The photos that the page offers.
    """

    limits: Limits
    examples: tuple[Path, ...] = ()

    def read(self, sent: object) -> AppPhoto:
        """The picture.

        Raises
        ------
        Refused
            If nothing was sent, it is no picture, or it is too large.
        """
        name, content = self._content(sent)
        try:
            rgb = read_image(content, max_pixels=self.limits.pixels).rgb
        except UnreadableImage as error:
            raise unreadable(name, error.reason) from None
        return AppPhoto(name, reduced(rgb, self.limits.working_pixels), rgb.shape[:2])

    def check_number(self, sent: object) -> Sequence[object]:
        """Several photos, as a sequence of what :meth:`read` takes.

        Raises
        ------
        Refused
            If there are none, or too many.
        """
        if not isinstance(sent, Sequence) or isinstance(sent, str) or not sent:
            raise Refused("Choose some photos first.")
        if len(sent) > self.limits.photos:
            raise Refused(
                f"These are {len(sent)} photos; the page groups at most {self.limits.photos} at a time. pred.py --group takes "
                "any number."
            )
        return sent

    def _content(self, sent: object) -> tuple[str, bytes]:
        if not isinstance(sent, Mapping):
            raise Refused(NO_PHOTO)
        if "example" in sent:
            return self._example(sent["example"])
        name, text = sent.get("name"), sent.get("data")
        if not isinstance(text, str):
            raise Refused(NO_PHOTO)
        name = short_name(name)
        head, separator, code = text.partition(_BASE64)
        if not separator or not head.startswith("data:"):
            raise unreadable(name, "not an image")
        self._check_size(name, len(code) * 3 // 4)
        try:
            return name, base64.b64decode(code, validate=True)
        except (binascii.Error, ValueError):
            raise unreadable(name, "not an image") from None

    def _example(self, number: object) -> tuple[str, bytes]:
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(self.examples):
            raise Refused("There is no such example.")
        path = self.examples[number]
        return short_name(path.name), path.read_bytes()

    def _check_size(self, name: str, n_bytes: int) -> None:
        limit = self.limits.file_bytes
        if n_bytes > limit:
            raise Refused(
                f"“{name}” has {n_bytes / MEGABYTE:.0f} MB; the page takes at most {limit / MEGABYTE:.0f} MB. Make the photo "
                "smaller, or use pred.py, which has no such limit."
            )


def short_name(name: object) -> str:
    """The last part of a file's name, without what cannot be printed, shortened in its middle.

    Examples
    --------
    >>> short_name("C:/photos/team.jpg")
    'team.jpg'
    """
    text = "".join(c for c in PurePath(str(name)).name if c.isprintable()) if isinstance(name, str) else ""
    if not text:
        return "photo"
    half = _LONGEST_NAME // 2
    return text if len(text) <= _LONGEST_NAME else f"{text[: half - 1]}…{text[-half:]}"


def reduced(rgb: np.ndarray, n_pixels: int) -> np.ndarray:
    """The picture with at most about so many pixels, its proportions kept."""
    height, width = rgb.shape[:2]
    if height * width <= n_pixels:
        return rgb
    scale = (n_pixels / (height * width)) ** 0.5
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0))
