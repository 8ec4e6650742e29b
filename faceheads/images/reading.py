"""The only place that decodes image files.

Whatever a file holds (gray, palette, alpha, CMYK, 16 bits, one bit, several frames, any EXIF orientation), what comes
out is RGB uint8, upright. What is wrong with a file is one exception, :class:`UnreadableImage`, whose reason becomes a
row of the feature table. For an ordinary upright JPEG or PNG the pixels are exactly
``numpy.array(PIL.Image.open(path).convert("RGB"))``, the loader of the face_recognition package.

Colour profiles (ICC) and gamma are ignored, as that loader and the networks' training pipelines did.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from .pixels import orientation_of, to_rgb, upright
from .quiet_pillow import quiet_pillow
from .unreadable import (
    DECODER_ERRORS,
    UnreadableImage,
    decoding_reason,
    heif_is_available,
    is_heic,
    unidentified_reason,
)

#: Largest accepted number of pixels (width times height), checked before anything is decoded: twice what the largest
#: cameras in common use deliver, 600 MB as RGB.
MAX_PIXELS = 200_000_000

#: Largest accepted file; a 200-megapixel image without compression is smaller.
MAX_FILE_BYTES = 2**30

#: What Pillow may try. Formats that start other programs (EPS), have no signature (TGA) or hold no photos stay out.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "DIB", "PPM", "JPEG2000", "AVIF")


@dataclass(frozen=True, eq=False, slots=True)
class DecodedImage:
    """One image and the facts about the file that it came from.

    Attributes
    ----------
    rgb : ndarray of shape (height, width, 3), uint8
        Upright, C-contiguous, writeable, owns its memory.
    sha256 : str
        Of the file's bytes, 64 hexadecimal characters.
    format : str
        Lower-case name of the format that the content has: ``"jpeg"``, ``"png"``, …
    notes : tuple of str
        What was done besides decoding, such as ``"turned upright (EXIF orientation 6)"``; usually empty.
    """

    rgb: np.ndarray
    sha256: str
    format: str
    notes: tuple[str, ...] = ()


def read_image(source: str | os.PathLike | bytes, *, max_pixels: int = MAX_PIXELS) -> DecodedImage:
    """The image in a file, upright RGB.

    Gray and palette images become RGB, 16-bit samples keep their high byte, transparent parts show a white background
    (an opaque alpha channel changes nothing), CMYK is converted without a profile, of several frames the first is
    taken. The EXIF orientation is applied.

    Parameters
    ----------
    source : path or bytes
        A file, or the bytes of one.
    max_pixels : int
        Images with more pixels are refused before they are decoded.

    Returns
    -------
    DecodedImage

    Raises
    ------
    UnreadableImage
        Whatever is wrong with the file.
    """
    data = bytes(source) if isinstance(source, bytes | bytearray | memoryview) else _read_bytes(Path(source))
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        return _decode(data, sha256, max_pixels)
    except UnreadableImage as error:
        error.sha256 = sha256
        raise


def _read_bytes(path: Path) -> bytes:
    """The bytes of a regular file; anything else is not opened, for a named pipe would wait for ever."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableImage("not a regular file")
        if status.st_size > MAX_FILE_BYTES:
            raise UnreadableImage(f"too many bytes: {status.st_size} (at most {MAX_FILE_BYTES})")
        return path.read_bytes()
    except FileNotFoundError:
        raise UnreadableImage("missing file") from None
    except PermissionError:
        raise UnreadableImage("no permission") from None
    except OSError as error:
        raise UnreadableImage(f"not readable: {error.strerror}") from None


def _decode(data: bytes, sha256: str, max_pixels: int) -> DecodedImage:
    if not data:
        raise UnreadableImage("empty file")
    with quiet_pillow(max_pixels), _open(data) as image:
        name = str(image.format).lower()
        _check_size(image, max_pixels)
        try:
            image.load()
            rgb, notes = to_rgb(image)
            orientation = orientation_of(image)
        except DECODER_ERRORS as error:
            raise UnreadableImage(decoding_reason(error)) from None
    if orientation != 1:
        rgb = upright(rgb, orientation)
        notes = (*notes, f"turned upright (EXIF orientation {orientation})")
    return DecodedImage(rgb, sha256, name, notes)


def _open(data: bytes) -> Image.Image:
    """The image with its header read and nothing decoded yet."""
    formats = (*_FORMATS, "HEIF") if is_heic(data) and heif_is_available() else _FORMATS
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError:
        raise UnreadableImage(unidentified_reason(data)) from None
    except Image.DecompressionBombError as error:
        raise UnreadableImage(f"too many pixels: {error}") from None
    except DECODER_ERRORS as error:
        raise UnreadableImage(decoding_reason(error)) from None


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height == 0:
        raise UnreadableImage("zero size")
    if width * height > max_pixels:
        raise UnreadableImage(f"too many pixels: {width} x {height} (at most {max_pixels})")
