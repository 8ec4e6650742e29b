"""Damaged, hostile and merely strange photos, and requests that hold none: what a server that takes photos must live with.

What is seen in them does not matter: the pictures are patches of colour.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, PngImagePlugin

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "JPEG2000")
_HW = (60, 80)


@dataclass(frozen=True)
class HostilePhoto:
    """One thing that is sent instead of an ordinary photo: of what kind, what it is, its name, its bytes."""

    kind: str
    what: str
    data: bytes
    name: str = "photo.jpg"


@dataclass(frozen=True)
class HostileRequest:
    """One thing that is sent in place of what the page sends for a photo."""

    kind: str
    what: str
    payload: object


def picture(mode: str = "RGB", hw: tuple[int, int] = _HW, seed: int = 0) -> Image.Image:
    """Patches of colour."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3)).astype(np.uint8))
    return small.resize(hw[::-1], Image.Resampling.NEAREST).convert(mode)


def encoded(image: Image.Image, name: str, **options: object) -> bytes:
    """The bytes of a file in a format."""
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def hostile_photos() -> Iterator[HostilePhoto]:
    """More than 480 files, the same at every call; the largest has 21 MB."""
    yield from _cut()
    yield from _flipped()
    yield from _bombs()
    yield from _not_photos()
    yield from _polyglots()
    yield from _modes()
    yield from _animated()
    yield from _shapes()
    yield from _metadata()
    yield from _names()
    yield HostilePhoto("too large", "21 MB of noise", np.random.default_rng(0).bytes(21_000_000))


def hostile_requests() -> Iterator[HostileRequest]:
    """Requests that are not what the page sends."""
    good = "data:image/png;base64,"
    values: dict[str, object] = {
        "a number": 7,
        "text": "hello",
        "true": True,
        "an empty list": [],
        "a list of numbers": [1, 2, 3],
        "an empty object": {},
        "no data": {"name": "a.jpg"},
        "data that is null": {"name": "a.jpg", "data": None},
        "data that is a list": {"name": "a.jpg", "data": [1] * 1000},
        "data without a head": {"name": "a.jpg", "data": "aaaa"},
        "an address of another host": {"name": "a.jpg", "data": "https://example.org/a.jpg"},
        "an address of a file": {"name": "a.jpg", "data": "file:///etc/passwd"},
        "base64 that is none": {"name": "a.jpg", "data": good + "%%%%"},
        "base64 cut off": {"name": "a.jpg", "data": good + "iVBORw0KG"},
        "base64 with letters of other scripts": {"name": "a.jpg", "data": good + "iVBORw0KGgo" + "й" * 5},
        "no bytes": {"name": "a.jpg", "data": good},
        "another encoding": {"name": "a.jpg", "data": "data:image/png,%89PNG"},
        "a name that is a list": {"name": ["a"], "data": good + "aaaa"},
        "a name of 100,000 letters": {"name": "a" * 100_000, "data": good + "aaaa"},
        "an example that is not there": {"example": 10**9},
        "a negative example": {"example": -1},
        "an example that is text": {"example": "0"},
        "an example that is true": {"example": True},
        "an example that is a path": {"example": "../../etc/passwd"},
        "an example that is no number": {"example": 0.5},
        "gradio's word for a file": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        "gradio's word for a file as data": {
            "name": "a",
            "data": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        },
        "gradio's word for an address": {
            "url": "http://127.0.0.1/",
            "path": "x",
            "meta": {"_type": "gradio.FileData"},
        },
        "lists in lists": _nested(60),
    }
    for what, payload in values.items():
        yield HostileRequest("request", what, payload)


def _nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


# ------------------------------------------------------------------------------------------------- damage


def _cut() -> Iterator[HostilePhoto]:
    for name in _FORMATS:
        data = encoded(picture(), name)
        for share in (0.001, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99):
            yield HostilePhoto("truncated", f"{name} after {share:.1%}", data[: max(1, int(share * len(data)))])


def _flipped() -> Iterator[HostilePhoto]:
    rng = np.random.default_rng(0)
    for name in _FORMATS:
        good = encoded(picture(), name)
        for draw in range(22):
            data = bytearray(good)
            n_bytes = (1, 3, 10, 60)[draw % 4]
            reach = len(data) if draw % 2 else min(len(data), 200)  # the header every other time
            for place in rng.integers(0, reach, n_bytes):
                data[place] ^= int(rng.integers(1, 256))
            yield HostilePhoto("flipped bytes", f"{name}, {n_bytes} of them, draw {draw}", bytes(data))


# ------------------------------------------------------------------------------------------------- size


def _png(width: int, height: int, body: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file of one bit a pixel with this compressed body, whatever its header says."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _bombs() -> Iterator[HostilePhoto]:
    for side in (8_000, 10_000, 20_000, 40_000):
        body = zlib.compress(bytes((side // 8 + 1) * side), 9)
        yield HostilePhoto("bomb", f"a PNG of {side} x {side} pixels in {len(body)} bytes", _png(side, side, body))
    for width, height in ((2**31 - 1, 1), (1, 2**31 - 1), (2**31 - 1, 2**31 - 1), (65_535, 65_535), (0, 5), (5, 0)):
        yield HostilePhoto(
            "bomb", f"a PNG that claims {width} x {height}", _png(width, height, zlib.compress(bytes(9)))
        )
    text = zlib.compress(bytes(80_000_000), 9)
    for name in (b"zTXt", b"iTXt", b"iCCP"):
        content = b"a\0\0" + text if name != b"iTXt" else b"a\0\1\0\0\0" + text
        body = zlib.compress(bytes((80 // 8 + 1) * 60))
        yield HostilePhoto("bomb", f"80 MB in a {name.decode()} chunk", _png(80, 60, body, (name, content)))
    yield HostilePhoto(
        "bomb", "a PNG whose body is 200 MB too long", _png(80, 60, zlib.compress(bytes(200_000_000), 9))
    )
    large = picture("L", (10_000, 10_000))
    for name in ("JPEG", "PNG", "WEBP", "GIF"):
        yield HostilePhoto("100 megapixels", name, encoded(large, name))
    gif, bmp = encoded(picture("P"), "GIF"), encoded(picture(), "BMP")
    for width, height in ((65_535, 65_535), (0, 0), (1, 65_535)):
        yield HostilePhoto(
            "bomb", f"a GIF that claims {width} x {height}", gif[:6] + struct.pack("<HH", width, height) + gif[10:]
        )
    for width, height in ((2**31 - 1, 2**31 - 1), (-5, -5), (100_000, 100_000)):
        yield HostilePhoto(
            "bomb", f"a BMP that claims {width} x {height}", bmp[:18] + struct.pack("<ii", width, height) + bmp[26:]
        )
    jpeg = encoded(picture(), "JPEG")
    place = jpeg.index(b"\xff\xc0") + 5
    for height, width in ((65_535, 65_535), (0, 80), (60, 0), (20_000, 20_000)):
        yield HostilePhoto(
            "bomb",
            f"a JPEG that claims {width} x {height}",
            jpeg[:place] + struct.pack(">HH", height, width) + jpeg[place + 4 :],
        )


# ------------------------------------------------------------------------------------------------- other files


def _not_photos() -> Iterator[HostilePhoto]:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", bytes(50_000_000))
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'
    texts = {
        "SVG": svg.format("<rect width='9' height='9'/>"),
        "SVG with a script": svg.format("<script>alert(1)</script>"),
        "SVG with a picture of another host": svg.format("<image href='https://example.org/a.png'/>"),
        "SVG with an entity": "<?xml version='1.0'?><!DOCTYPE s [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
        + svg.format("&x;"),
        "SVG that grows": "<!DOCTYPE s [<!ENTITY a 'aaaaaaaaaa'>"
        + "<!ENTITY b '"
        + "&a;" * 999
        + "'>]>"
        + svg.format("&b;"),
        "HTML": "<!doctype html><title>x</title><script>alert(1)</script>",
        "HTML with a frame": "<iframe src='javascript:alert(1)'></iframe>",
        "JavaScript": "alert(document.domain)",
        "JSON": '{"a": [1, 2, 3]}',
        "PHP": "<?php system($_GET['c']); ?>",
        "PostScript": "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (r) file\n",
        "ImageMagick": "push graphic-context\nviewbox 0 0 9 9\nfill 'url(https://example.org/\"|id\")'\npop graphic-context",
        "a list of files for a player": "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "a shell script": "#!/bin/sh\nid\n",
        "X bitmap": "#define im_width 9\n#define im_height 9\nstatic char im_bits[] = {0};",
        "PPM with a negative size": "P6\n-5 -5\n255\n",
        "PPM that claims too much": "P6\n100000 100000\n255\naaaa",
        "text": "hello",
    }
    for what, text in texts.items():
        for name in ("photo.jpg", f"photo.{'svg' if 'SVG' in what else 'html'}"):
            yield HostilePhoto("other file", f"{what} as {name}", text.encode(), name)
    contents = {
        "nothing": b"",
        "one byte": b"\xff",
        "zeros": bytes(10_000),
        "noise": np.random.default_rng(1).bytes(10_000),
        "a zip bomb": box.getvalue(),
        "a gzip bomb": gzip.compress(bytes(50_000_000)),
        "PDF": b"%PDF-1.4\n1 0 obj <</OpenAction <</S /JavaScript /JS (app.alert(1))>>>> endobj",
        "a program": b"\x7fELF\x02\x01\x01" + bytes(500),
        "a pickle": b"cos\nsystem\n(S'id'\ntR.",
        "Photoshop": b"8BPS\x00\x01" + bytes(500),
        "HEIC": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(500),
        "AVIF": b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1avif" + bytes(500),
        "JPEG XL": b"\xff\x0a" + bytes(500),
        "an icon": b"\x00\x00\x01\x00\xff\xff" + bytes(500),
        "a film": b"\x00\x00\x00\x20ftypisom" + bytes(500),
    }
    for what, content in contents.items():
        yield HostilePhoto("other file", what, content)


def _polyglots() -> Iterator[HostilePhoto]:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        archive.writestr("a.txt", "hello")
    tails = {
        "zip": box.getvalue(),
        "HTML": b"<script>alert(1)</script>",
        "PHP": b"<?php system('id'); ?>",
        "PDF": b"%PDF-1.4 %%EOF",
        "a second photo": encoded(picture(seed=1), "JPEG"),
        "a megabyte of zeros": bytes(1_000_000),
    }
    for name in ("JPEG", "PNG", "GIF", "WEBP", "BMP"):
        for what, tail in tails.items():
            yield HostilePhoto("polyglot", f"{name} followed by {what}", encoded(picture(), name) + tail)
    for what, head in tails.items():
        yield HostilePhoto("polyglot", f"{what} followed by JPEG", head + encoded(picture(), "JPEG"))
    script = b"GIF89a/*" + encoded(picture("P"), "GIF")[8:] + b"*/=1;alert(1)"
    yield HostilePhoto("polyglot", "GIF that is JavaScript", script)


# ------------------------------------------------------------------------------------------------- rare but real


def _modes() -> Iterator[HostilePhoto]:
    for name, mode in (
        ("JPEG", "CMYK"),
        ("TIFF", "CMYK"),
        ("TIFF", "LAB"),
        ("TIFF", "F"),
        ("TIFF", "I"),
        ("TIFF", "1"),
        ("PNG", "1"),
        ("PNG", "P"),
        ("PNG", "LA"),
        ("PNG", "RGBA"),
        ("PNG", "I;16"),
        ("JPEG", "L"),
        ("WEBP", "RGBA"),
        ("JPEG2000", "RGBA"),
        ("TIFF", "YCbCr"),
        ("GIF", "L"),
    ):
        image = (
            Image.fromarray(np.arange(4800, dtype=np.uint16).reshape(60, 80)) if mode == "I;16" else _converted(mode)
        )
        yield HostilePhoto("CMYK" if mode == "CMYK" else "pixels", f"{name} of {mode}", encoded(image, name))
    for quality in (1, 30, 100):
        yield HostilePhoto("CMYK", f"JPEG, quality {quality}", encoded(picture("CMYK"), "JPEG", quality=quality))


def _converted(mode: str) -> Image.Image:
    if mode != "LAB":
        return picture(mode)
    image = picture()
    return Image.merge("LAB", image.split())


def _animated() -> Iterator[HostilePhoto]:
    frames = [picture(seed=seed) for seed in range(20)]
    for name in ("GIF", "WEBP", "PNG", "TIFF"):
        for n_frames in (2, 20):
            data = encoded(frames[0], name, save_all=True, append_images=frames[1:n_frames])
            yield HostilePhoto("animated", f"{name} of {n_frames} frames", data)
            yield HostilePhoto("animated", f"{name} of {n_frames} frames, cut", data[: 2 * len(data) // 3])
    many = encoded(picture("P"), "GIF", save_all=True, append_images=[picture("P", seed=s % 7) for s in range(1500)])
    yield HostilePhoto("animated", "GIF of 1,500 frames", many)


def _shapes() -> Iterator[HostilePhoto]:
    for hw in (
        (1, 1),
        (1, 2),
        (2, 1),
        (1, 20_000),
        (20_000, 1),
        (3, 3),
        (8, 5000),
        (5000, 8),
        (7000, 7000),
        (2, 60_000),
    ):
        for name in ("PNG", "JPEG"):
            yield HostilePhoto("shape", f"{name} of {hw[1]} x {hw[0]}", encoded(picture("L", hw), name))


def _metadata() -> Iterator[HostilePhoto]:
    for orientation in (*range(10), 65_535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield HostilePhoto("metadata", f"orientation {orientation}", encoded(picture(), "JPEG", exif=exif))
    rng = np.random.default_rng(3)
    for draw in range(15):
        exif = b"Exif\0\0" + (b"MM\0*" if draw % 2 else b"II*\0") + rng.bytes(200)
        yield HostilePhoto("metadata", f"EXIF of noise, draw {draw}", encoded(picture(), "JPEG", exif=exif))
    for draw in range(5):
        profile = rng.bytes(500)
        yield HostilePhoto(
            "metadata", f"colour profile of noise, draw {draw}", encoded(picture(), "PNG", icc_profile=profile)
        )
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>" * 1000)
    yield HostilePhoto("metadata", "a PNG with a script in its comment", encoded(picture(), "PNG", pnginfo=info))
    yield HostilePhoto("metadata", "a JPEG with a long comment", encoded(picture(), "JPEG", comment=b"<b>" * 20_000))


def _names() -> Iterator[HostilePhoto]:
    data = encoded(picture(), "PNG")
    names: tuple[str, ...] = (
        "<img src=x onerror=alert(1)>.png",
        '"><script>alert(1)</script>.png',
        "../../../../etc/passwd",
        "..\\..\\windows\\system.ini",
        "/etc/passwd",
        "a\0b.png",
        "\u202egnp.exe",
        "a" * 5000 + ".png",
        "",
        ".",
        "..",
        "\n\r\t",
        "{{ 7 * 7 }}.png",
        "${7 * 7}.png",
        "`id`.png",
        "ファイル.png",
        "😀.png",
        "\ud83d.png",
        "con.png",
        "%00.png",
    )
    for name in names:
        yield HostilePhoto("name", repr(name[:40]), data, name)
