"""Why a file gives no image: the exception, and the reason that its bytes or a decoder's complaint stand for."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

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
DECODER_ERRORS = (
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


def unidentified_reason(data: bytes) -> str:
    """Why no decoder took the bytes."""
    if is_heic(data) and not heif_is_available():
        return "unsupported format (HEIC: pip install faceheads[heif])"
    foreign = _by_signature(data.lstrip()[:16], _FOREIGN_SIGNATURES)
    if foreign is not None:
        return f"unsupported format ({foreign})"
    if _stated_size_is_zero(data):
        return "zero size"
    known = "HEIC" if is_heic(data) else _by_signature(data, _SIGNATURES)
    return "not an image" if known is None else f"damaged: starts like {known}, but its header cannot be read"


def decoding_reason(error: Exception) -> str:
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


def is_heic(data: bytes) -> bool:
    """Whether the bytes begin like a HEIC file."""
    return data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS


def heif_is_available() -> bool:
    """Whether the optional HEIC decoder is there; makes it known to Pillow when it is."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True
