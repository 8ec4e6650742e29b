"""Pictures and texts as ``data:`` addresses, so that a result is one piece of HTML and nothing lies on the server."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

#: Larger files are made in a third of the time; the pixels are the same.
_PNG_EFFORT = 1


def png(rgb: np.ndarray) -> str:
    """A picture (height, width, 3), uint8, RGB, as a PNG file in a ``data:`` address."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", compress_level=_PNG_EFFORT)
    return _address("image/png", file.getvalue())


def jpeg(data: bytes) -> str:
    """The bytes of a JPEG file as a ``data:`` address."""
    return _address("image/jpeg", data)


def text(content: str, media_type: str) -> str:
    """A text as a ``data:`` address."""
    return _address(f"{media_type};charset=utf-8", content.encode())


def _address(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
