"""The only place that decodes and writes image files.

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
import re
import stat
import struct
import uuid
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image, UnidentifiedImageError

from .folders import IMAGE_EXTENSIONS, FolderListing, list_images, scan_folder
from .quiet_pillow import quiet_pillow

__all__ = [
    "IMAGE_EXTENSIONS",
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "DecodedImage",
    "FolderListing",
    "UnreadableImage",
    "check_rgb",
    "import_cv2",
    "list_images",
    "read_image",
    "scan_folder",
    "write_image",
]

#: Largest accepted number of pixels (width times height), checked before anything is decoded: twice what the largest
#: cameras in common use deliver, 600 MB as RGB.
MAX_PIXELS = 200_000_000

#: Largest accepted file; a 200-megapixel image without compression is smaller.
MAX_FILE_BYTES = 2**30

#: What Pillow may try. Formats that start other programs (EPS), have no signature (TGA) or hold no photos stay out.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "DIB", "PPM", "JPEG2000", "AVIF")

#: Signatures that tell a damaged image from a file that never was one.
_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"RIFF": "WebP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
}

#: Signatures of pictures that are not decoded here.
_FOREIGN_SIGNATURES = {
    b"%PDF": "PDF",
    b"%!PS": "PostScript",
    b"8BPS": "Photoshop",
    b"<svg": "SVG",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
}

#: Where width and height stand in the headers that can say 0 (signature: offset, struct format).
_SIZE_FIELDS = {
    b"\x89PNG\r\n\x1a\n": (16, ">II"),
    b"GIF87a": (6, "<HH"),
    b"GIF89a": (6, "<HH"),
    b"BM": (18, "<ii"),
}

_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")

#: What decoders raise on damaged input: the first four by fuzzing, the others where Pillow itself expects them or its
#: issues report them. They share no base class below Exception.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    RuntimeError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
)

_EXIF_ORIENTATION = 0x0112


class UnreadableImage(Exception):
    """A file that gives no image; what a table reports as status ``unreadable``.

    Attributes
    ----------
    reason : str
        Starts with one of the stable phrases ``missing file``, ``no permission``, ``not a regular file``,
        ``not readable``, ``empty file``, ``too many bytes``, ``not an image``, ``unsupported format``, ``zero size``,
        ``too many pixels``, ``truncated``, ``damaged``; details may follow after a colon or in brackets.
    sha256 : str or None
        Of the file's bytes, 64 hexadecimal characters; None where they could not be read.
    """

    def __init__(self, reason: str, sha256: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sha256 = sha256


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
            rgb, notes = _to_rgb(image)
            orientation = _orientation(image)
        except _DECODER_ERRORS as error:
            raise UnreadableImage(_decoding_reason(error)) from None
    if orientation != 1:
        rgb = _upright(rgb, orientation)
        notes = (*notes, f"turned upright (EXIF orientation {orientation})")
    return DecodedImage(rgb, sha256, name, notes)


def _open(data: bytes) -> Image.Image:
    """The image with its header read and nothing decoded yet."""
    formats = (*_FORMATS, "HEIF") if _is_heic(data) and _heif_is_available() else _FORMATS
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError:
        raise UnreadableImage(_unidentified_reason(data)) from None
    except Image.DecompressionBombError as error:
        raise UnreadableImage(f"too many pixels: {error}") from None
    except _DECODER_ERRORS as error:
        raise UnreadableImage(_decoding_reason(error)) from None


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height == 0:
        raise UnreadableImage("zero size")
    if width * height > max_pixels:
        raise UnreadableImage(f"too many pixels: {width} x {height} (at most {max_pixels})")


def _unidentified_reason(data: bytes) -> str:
    """Why no decoder took the bytes."""
    if _is_heic(data) and not _heif_is_available():
        return "unsupported format (HEIC: pip install faceheads[heif])"
    foreign = _by_signature(data.lstrip()[:16], _FOREIGN_SIGNATURES)
    if foreign is not None:
        return f"unsupported format ({foreign})"
    if _stated_size_is_zero(data):
        return "zero size"
    known = "HEIC" if _is_heic(data) else _by_signature(data, _SIGNATURES)
    return "not an image" if known is None else f"damaged: starts like {known}, but its header cannot be read"


def _decoding_reason(error: Exception) -> str:
    """The reason that a decoder's exception stands for."""
    text = " ".join(str(error).split())
    if isinstance(error, Image.DecompressionBombError):
        return f"too many pixels: {text}"
    if isinstance(error, EOFError) or "truncated" in text.lower():
        return f"truncated: {text}"
    return f"damaged: {text}" if text else f"damaged: {type(error).__name__}"


def _by_signature(data: bytes, table: dict) -> object | None:
    return next((value for signature, value in table.items() if data.startswith(signature)), None)


def _stated_size_is_zero(data: bytes) -> bool:
    where = _by_signature(data, _SIZE_FIELDS)
    if where is None:
        return False
    offset, layout = where
    if len(data) < offset + struct.calcsize(layout):
        return False
    return 0 in struct.unpack_from(layout, data, offset)


def _is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS


def _heif_is_available() -> bool:
    """Whether the optional HEIC decoder is there; makes it known to Pillow when it is."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _to_rgb(image: Image.Image) -> tuple[np.ndarray, tuple[str, ...]]:
    """Pixels of any mode as RGB, shape (height, width, 3), uint8, and what had to be done for it."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return _gray16_to_rgb(np.asarray(image)), ("16 bits reduced to 8",)
    if image.mode in ("I", "F", "LAB"):
        raise UnreadableImage(f"unsupported format ({image.format} with pixels of type {image.mode})")
    if image.has_transparency_data:
        return _over_white(image.convert("RGBA"))
    return np.array(image if image.mode == "RGB" else image.convert("RGB")), ()


def _gray16_to_rgb(gray: np.ndarray) -> np.ndarray:
    """The high byte, as Pillow itself takes it from 16-bit colour; shape (height, width) in, (…, 3) out."""
    return np.repeat((gray >> 8).astype(np.uint8)[:, :, np.newaxis], 3, axis=2)


def _over_white(rgba: Image.Image) -> tuple[np.ndarray, tuple[str, ...]]:
    """What a viewer shows: the image on a white page. Colours below a transparent pixel are arbitrary."""
    alpha = rgba.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return np.array(rgba.convert("RGB")), ()
    page = Image.new("RGB", rgba.size, "white")
    page.paste(rgba, mask=alpha)
    return np.array(page), ("transparent parts shown white",)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where it is missing or cannot be read. After ``load``: PNG may say it at the end."""
    try:
        value = image.getexif().get(_EXIF_ORIENTATION, 1)
    except _DECODER_ERRORS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(rgb: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels moved as the EXIF orientation says (Exif 2.32, tag 0x0112), C-contiguous."""
    if orientation >= 5:
        rgb = rgb.transpose(1, 0, 2)
    is_flipped_down = orientation in (3, 4, 7, 8)
    is_flipped_across = orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(rgb[:: -1 if is_flipped_down else 1, :: -1 if is_flipped_across else 1])


#: Extension → Pillow's name of the formats that are written, and the longest side that each can hold.
_WRITERS = {".png": ("PNG", 2**31 - 1), ".jpg": ("JPEG", 65_500), ".jpeg": ("JPEG", 65_500)}


def write_image(path: str | os.PathLike, rgb: np.ndarray, quality: int = 92) -> None:
    """Write an image as PNG or JPEG, by the extension; the file appears whole or not at all.

    Parameters
    ----------
    path : path
        Ends in ``.png``, ``.jpg`` or ``.jpeg``, in any case. Its folder must exist.
    rgb : ndarray of shape (height, width, 3), uint8
    quality : int
        Of JPEG, 1 to 95; colour is kept at full resolution from 90 on.

    Raises
    ------
    ValueError
        If the extension, the array or the quality cannot be written.
    """
    path = Path(path)
    check_rgb(rgb)
    if path.suffix.lower() not in _WRITERS:
        raise ValueError(f"an image must be written as one of {sorted(_WRITERS)}; got {path.name!r}.")
    if not 1 <= quality <= 95:
        raise ValueError(f"quality must be 1 to 95; got {quality}.")
    name, longest_px = _WRITERS[path.suffix.lower()]
    if max(rgb.shape[:2]) > longest_px:
        raise ValueError(f"{name} holds at most {longest_px} px a side; got {rgb.shape[:2]}. Write a .png instead.")
    settings = {"quality": quality, "subsampling": 0 if quality >= 90 else 2} if name == "JPEG" else {}
    _write_atomically(path, Image.fromarray(rgb), name, settings)


def _write_atomically(path: Path, image: Image.Image, name: str, settings: dict) -> None:
    temporary = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        with open(temporary, "xb") as file:
            image.save(file, name, **settings)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def check_rgb(rgb: np.ndarray) -> None:
    """Refuse what is not an RGB image of the project.

    Raises
    ------
    ValueError
        If ``rgb`` is not an array of shape (height, width, 3), uint8, with at least one pixel.
    """
    if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        got = f"{rgb.dtype} of shape {rgb.shape}" if isinstance(rgb, np.ndarray) else type(rgb).__name__
        raise ValueError(f"an image must be a uint8 array of shape (height, width, 3), RGB; got {got}.")


def import_cv2() -> ModuleType:
    """The module ``cv2``.

    Raises
    ------
    ImportError
        If OpenCV is missing or cannot load a system library, with what to install.
    """
    try:
        import cv2
    except ImportError as error:
        if re.search(r"lib(GL|gthread|glib|X|SM|EGL)\S*\.so", str(error)):
            raise ImportError(
                f"OpenCV is installed, but needs a system library that is missing ({error}). Either 'pip install "
                "opencv-python-headless' in place of opencv-python, or 'apt-get install libgl1 libglib2.0-0'."
            ) from error
        raise ImportError(f"OpenCV is needed: pip install opencv-python-headless ({error}).") from error
    return cv2
