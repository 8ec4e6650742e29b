"""Decoding: what every kind of file becomes, and how every kind of broken file is reported."""

import hashlib
import io
import os
import pickle
import struct
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from faceheads.images import reading as image_module
from faceheads.images.reading import read_image
from faceheads.images.unreadable import UnreadableImage
from tests.features.photos import colours

#: Exif 2.32, tag 0x0112: the sides of the visible picture where row 0 and column 0 of the stored one are.
EXIF_SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def encoded(picture, file_format, **settings):
    """The bytes of a file that holds an array or a Pillow image."""
    buffer = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(buffer, file_format, **settings)
    return buffer.getvalue()


def png_by_hand(width, height, bit_depth, colour_type, rows=b"", chunks=()):
    """A PNG file put together chunk by chunk: for what Pillow does not write."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    body = b"".join(chunk(name, content) for name, content in chunks)
    end = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + end


def pillow_rgb(data):
    """The loader of the face_recognition package."""
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def reason_of(source, **arguments):
    with pytest.raises(UnreadableImage) as caught:
        read_image(source, **arguments)
    return caught.value.reason


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


# ------------------------------------------------------------------------------------------------ what comes out

ORDINARY = {
    "jpeg": encoded(colours(), "JPEG"),
    "progressive jpeg": encoded(colours(), "JPEG", progressive=True),
    "gray jpeg": encoded(Image.fromarray(colours()).convert("L"), "JPEG"),
    "cmyk jpeg": encoded(Image.fromarray(colours()).convert("CMYK"), "JPEG"),
    "png": encoded(colours(), "PNG"),
    "gray png": encoded(Image.fromarray(colours()).convert("L"), "PNG"),
    "palette png": encoded(Image.fromarray(colours()).convert("P"), "PNG"),
    "one-bit png": encoded(Image.fromarray(colours()).convert("1"), "PNG"),
    "opaque rgba png": encoded(Image.fromarray(colours()).convert("RGBA"), "PNG"),
    "opaque la png": encoded(Image.fromarray(colours()).convert("LA"), "PNG"),
    "webp": encoded(colours(), "WEBP"),
    "lossless webp": encoded(colours(), "WEBP", lossless=True),
    "gif": encoded(Image.fromarray(colours()).convert("P"), "GIF"),
    "bmp": encoded(colours(), "BMP"),
    "palette bmp": encoded(Image.fromarray(colours()).convert("P"), "BMP"),
    "tiff": encoded(colours(), "TIFF"),
    "lzw tiff": encoded(colours(), "TIFF", compression="tiff_lzw"),
    "cmyk tiff": encoded(Image.fromarray(colours()).convert("CMYK"), "TIFF"),
    "ppm": encoded(colours(), "PPM"),
    "jpeg 2000": encoded(colours(), "JPEG2000"),
}


@pytest.mark.parametrize("kind", ORDINARY)
def test_an_ordinary_image_has_exactly_the_pixels_that_pillow_converts_to_rgb(kind):
    decoded = read_image(ORDINARY[kind])
    np.testing.assert_array_equal(decoded.rgb, pillow_rgb(ORDINARY[kind]))
    assert decoded.notes == ()


def test_photos_have_exactly_the_pixels_of_the_original_pipelines_loader(group_photos, lfw_photos):
    for path in (*group_photos, *lfw_photos[:20]):
        decoded = read_image(path)
        np.testing.assert_array_equal(decoded.rgb, np.array(Image.open(path).convert("RGB")))
        assert decoded.format == "jpeg"


@pytest.mark.parametrize("kind", ORDINARY)
def test_the_array_is_contiguous_writeable_and_owns_its_memory(kind):
    rgb = read_image(ORDINARY[kind]).rgb
    assert rgb.dtype == np.uint8
    assert rgb.shape == (48, 40, 3)
    assert rgb.flags.c_contiguous
    assert rgb.flags.writeable


def test_the_hash_is_that_of_the_file_and_path_and_bytes_give_the_same(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(ORDINARY["png"])
    from_path, from_bytes = read_image(str(path)), read_image(bytearray(ORDINARY["png"]))
    assert from_path.sha256 == from_bytes.sha256 == hashlib.sha256(ORDINARY["png"]).hexdigest()
    np.testing.assert_array_equal(from_path.rgb, from_bytes.rgb)


@pytest.mark.parametrize("name", ["photo.JPG", "photo.jpg", "photo", "photo.txt", "ünï 写真.PNG"])
def test_the_content_decides_whatever_the_name_says(tmp_path, name):
    (tmp_path / name).write_bytes(ORDINARY["webp"])
    assert read_image(tmp_path / name).format == "webp"


@pytest.mark.parametrize("orientation", EXIF_SIDES)
def test_every_exif_orientation_gives_the_picture_as_it_was_seen(orientation):
    seen = colours(24, 16)
    row_side, column_side = EXIF_SIDES[orientation]
    stored = seen.transpose(1, 0, 2) if row_side in ("left", "right") else seen
    stored = stored[::-1] if row_side in ("bottom", "right") else stored
    stored = stored[:, ::-1] if column_side in ("bottom", "right") else stored
    decoded = read_image(encoded(np.ascontiguousarray(stored), "PNG", exif=exif(orientation)))
    np.testing.assert_array_equal(decoded.rgb, seen)
    assert decoded.rgb.flags.c_contiguous
    assert decoded.notes == (() if orientation == 1 else (f"turned upright (EXIF orientation {orientation})",))


@pytest.mark.parametrize("orientation", EXIF_SIDES)
@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "TIFF", "PNG", "AVIF"])
def test_orientation_in_any_format_is_applied_once_as_pillow_does(file_format, orientation):
    data = encoded(colours(), file_format, exif=exif(orientation))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    np.testing.assert_array_equal(read_image(data).rgb, np.array(expected))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_outside_the_standard_is_ignored(orientation):
    decoded = read_image(encoded(colours(), "PNG", exif=exif(orientation)))
    np.testing.assert_array_equal(decoded.rgb, colours())


def test_exif_that_cannot_be_read_does_not_hide_the_picture():
    data = encoded(colours(), "PNG", exif=b"Exif\0\0no exif at all")
    np.testing.assert_array_equal(read_image(data).rgb, colours())


def test_transparent_parts_show_white_and_half_transparent_ones_half_white():
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, :3] = 100
    rgba[0, :, 3] = 0, 51, 255  # nothing, a fifth, all
    decoded = read_image(encoded(rgba, "PNG"))
    np.testing.assert_array_equal(decoded.rgb[0, :, 0], [255, 224, 100])  # 224 = 255 - (255 - 100) / 5
    assert decoded.notes == ("transparent parts shown white",)


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_transparent_colour_of_an_image_without_alpha_shows_white(mode):
    picture = Image.new(mode, (2, 1), 0)
    picture.putpixel((1, 0), {"P": 1, "L": 77, "RGB": (77, 77, 77)}[mode])
    if mode == "P":
        picture.putpalette([0, 0, 0, 77, 77, 77])
    data = encoded(picture, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0)
    np.testing.assert_array_equal(read_image(data).rgb[0, :, 0], [255, 77])


def test_a_cmyk_jpeg_is_not_shown_as_its_negative():
    # Adobe's inverted CMYK, as every CMYK JPEG has it: red ink only, in a corner without ink
    picture = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    picture.paste((0, 0, 0, 0), (8, 0, 16, 16))
    rgb = read_image(encoded(picture, "JPEG", quality=95)).rgb
    np.testing.assert_allclose(rgb[8, 2], [255, 0, 0], atol=6)
    np.testing.assert_allclose(rgb[8, 13], [255, 255, 255], atol=6)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_gray_is_scaled_and_not_clipped(file_format):
    gray = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    decoded = read_image(encoded(Image.fromarray(gray), file_format))
    for channel in range(3):
        np.testing.assert_array_equal(decoded.rgb[0, :, channel], [0, 0, 1, 128, 255])
    assert decoded.notes == ("16 bits reduced to 8",)


def test_sixteen_bit_big_endian_tiff_is_scaled_too():
    gray = np.array([[0, 256, 65535]], np.uint16)
    data = encoded(Image.fromarray(gray.astype(">u2")), "TIFF")
    np.testing.assert_array_equal(read_image(data).rgb[0, :, 0], [0, 1, 255])


@pytest.mark.parametrize(("colour_type", "n_samples"), [(2, 3), (6, 4), (0, 1), (4, 2)])
def test_sixteen_bit_png_of_every_colour_type_keeps_the_high_byte(colour_type, n_samples):
    pixels = np.full((2, 3, n_samples), 65535, ">u2")
    pixels[0, :, : 3 if n_samples > 2 else 1] = np.array([0x1234, 0x80FF, 0xFF00])[:, np.newaxis]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    rgb = read_image(png_by_hand(3, 2, 16, colour_type, rows)).rgb
    np.testing.assert_array_equal(rgb[0], np.array([0x12, 0x80, 0xFF])[:, np.newaxis] * [1, 1, 1])
    np.testing.assert_array_equal(rgb[1], np.full((3, 3), 255))


@pytest.mark.parametrize("file_format", ["GIF", "TIFF", "WEBP", "PNG"])
def test_of_several_frames_the_first_is_taken(file_format):
    frames = [Image.fromarray(colours(seed=i)) for i in range(3)]
    settings = {"lossless": True} if file_format == "WEBP" else {}
    data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], **settings)
    assert Image.open(io.BytesIO(data)).n_frames == 3
    np.testing.assert_array_equal(read_image(data).rgb, pillow_rgb(data))
    assert np.abs(read_image(data).rgb.astype(int) - colours()).mean() < 3  # the palette of a GIF costs a little


def test_a_colour_profile_changes_nothing():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    np.testing.assert_array_equal(read_image(encoded(colours(), "PNG", icc_profile=profile)).rgb, colours())


def test_one_pixel_is_an_image():
    assert read_image(encoded(colours(1, 1), "PNG")).rgb.shape == (1, 1, 3)


def test_heic_is_decoded_where_the_extra_is_installed():
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    decoded = read_image(encoded(colours(96, 80), "HEIF", quality=95, exif=exif(6).tobytes()))
    assert decoded.rgb.shape == (80, 96, 3)
    assert decoded.format == "heif"


# ------------------------------------------------------------------------------------------------- what is reported

ZERO_BY_ZERO_GIF = b"GIF89a" + struct.pack("<HHBBB", 0, 0, 0, 0, 0) + b";"

UNREADABLE = {
    "nothing": (b"", "empty file"),
    "text": (b"no image at all, but words", "not an image"),
    "zeros": (bytes(1000), "not an image"),
    "half a jpeg": (ORDINARY["jpeg"][: len(ORDINARY["jpeg"]) // 2], "truncated"),
    "half a progressive jpeg": (ORDINARY["progressive jpeg"][: len(ORDINARY["progressive jpeg"]) // 2], "truncated"),
    "half a png": (ORDINARY["png"][: len(ORDINARY["png"]) // 2], "truncated"),
    "half a gif": (ORDINARY["gif"][: len(ORDINARY["gif"]) - 100], "truncated"),
    "half a bmp": (ORDINARY["bmp"][: len(ORDINARY["bmp"]) // 2], "truncated"),
    "a jpeg's first bytes": (ORDINARY["jpeg"][:20], "damaged"),
    "half a webp": (ORDINARY["webp"][: len(ORDINARY["webp"]) // 2], "damaged"),
    "zero by zero png": (png_by_hand(0, 0, 8, 2), "zero size"),
    "a png without height": (png_by_hand(5, 0, 8, 2), "zero size"),
    "zero by zero gif": (ZERO_BY_ZERO_GIF, "zero size"),
    "a bmp without width": (ORDINARY["bmp"][:18] + bytes(4) + ORDINARY["bmp"][22:], "zero size"),
    "a bomb": (png_by_hand(60_000, 60_000, 8, 2), "too many pixels"),
    "a bomb that pillow only warns of": (png_by_hand(15_000, 15_000, 8, 2), "too many pixels"),
    "pdf": (b"%PDF-1.7\n%", "unsupported format (PDF)"),
    "svg": (b"\n<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported format (SVG)"),
    "floating point tiff": (encoded(np.ones((4, 4), np.float32), "TIFF"), "unsupported format"),
    "32-bit tiff": (encoded(np.ones((4, 4), np.int32), "TIFF"), "unsupported format"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_broken_file_is_reported_by_a_stable_phrase_and_its_hash(kind):
    data, phrase = UNREADABLE[kind]
    with pytest.raises(UnreadableImage) as caught:
        read_image(data)
    assert caught.value.reason.startswith(phrase)
    assert "\n" not in caught.value.reason
    assert len(caught.value.sha256) == 64


@pytest.mark.parametrize("file_format", ["PCX", "TGA", "ICO", "EPS"])
def test_formats_that_are_no_photographs_are_not_tried(file_format):
    assert reason_of(encoded(colours(), file_format)).startswith(("not an image", "unsupported format"))


def test_heic_without_the_extra_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    heic = struct.pack(">I", 24) + b"ftypheic" + bytes(12)
    assert reason_of(heic) == "unsupported format (HEIC: pip install faceheads[heif])"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_reported_and_not_opened(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.jpg")
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("this would wait for ever"))
    assert reason_of(tmp_path / "pipe.jpg") == "not a regular file"


def test_what_is_no_regular_readable_file_is_reported(tmp_path):
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert reason_of(tmp_path / "absent.jpg") == "missing file"
    assert reason_of(tmp_path / "broken.jpg") == "missing file"
    assert reason_of(tmp_path) == "not a regular file"
    assert reason_of(tmp_path / ("x" * 300)).startswith("not readable: ")


def test_a_file_without_permission_is_reported(tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(ORDINARY["png"])
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything

        def refuse(self):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refuse)
    assert reason_of(path) == "no permission"


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(image_module, "MAX_FILE_BYTES", 100)
    (tmp_path / "large.png").write_bytes(ORDINARY["png"])
    assert reason_of(tmp_path / "large.png").startswith("too many bytes: ")


def test_the_pixel_limit_is_the_callers_and_is_exact():
    assert read_image(ORDINARY["png"], max_pixels=48 * 40).rgb.shape == (48, 40, 3)
    assert reason_of(ORDINARY["png"], max_pixels=48 * 40 - 1) == "too many pixels: 40 x 48 (at most 1919)"


@pytest.mark.parametrize("kind", ["jpeg", "progressive jpeg", "png", "webp", "gif", "bmp", "lzw tiff", "jpeg 2000"])
def test_no_beginning_of_a_file_passes_for_the_whole(kind):
    data, whole = ORDINARY[kind], pillow_rgb(ORDINARY[kind])
    for n in range(0, len(data), max(1, len(data) // 60)):
        try:
            rgb = read_image(data[:n]).rgb
        except UnreadableImage:
            continue
        np.testing.assert_array_equal(rgb, whole)  # only an end that holds no pixels may be missing


def test_a_failure_survives_the_way_back_from_a_worker_process():
    error = UnreadableImage("truncated: x", "ab" * 32)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.reason, copy.sha256, str(copy)) == ("truncated: x", "ab" * 32, "truncated: x")


@settings(max_examples=300)
@given(
    kind=st.sampled_from(sorted(ORDINARY)),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    at_the_start=st.booleans(),
    kept=st.floats(0, 1) | st.just(1.0),
)
def test_whatever_the_bytes_only_unreadable_image_escapes(kind, edits, at_the_start, kept):
    data = bytearray(ORDINARY[kind])
    reach = min(len(data), 120) if at_the_start else len(data)
    for place, value in edits:
        data[int(place * (reach - 1))] = value
    try:
        decoded = read_image(bytes(data[: int(kept * len(data))]), max_pixels=1_000_000)
    except UnreadableImage:
        return
    assert decoded.rgb.dtype == np.uint8
    assert decoded.rgb.shape[2] == 3


@given(st.binary(max_size=300))
def test_random_bytes_are_never_more_than_unreadable(data):
    with pytest.raises(UnreadableImage):
        read_image(b"\x01" + data)


# ---------------------------------------------------------------------------------------------- what stays unchanged


def broken_tiffs():
    """TIFF files that libtiff, Pillow and Pillow's logger all complain about."""
    data = encoded(Image.fromarray(colours()), "TIFF", compression="tiff_deflate")
    samples_per_pixel = data.index(b"\x15\x01\x03\0\x01\0\0\0") + 8
    yield data[:samples_per_pixel] + b"\x63" + data[samples_per_pixel + 1 :]
    rng = np.random.default_rng(0)
    for _ in range(200):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), 5):
            broken[place] = rng.integers(256)
        yield bytes(broken)


def test_nothing_is_printed_logged_or_warned_of(capfd, caplog, recwarn, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow would warn of 1,920 pixels
    read_image(ORDINARY["png"])
    for data in broken_tiffs():
        try:
            read_image(data)
        except UnreadableImage:
            continue
    assert not recwarn.list
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_threads_that_decode_at_the_same_time_do_not_disturb_each_other(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    kinds = sorted(ORDINARY)
    expected = {kind: read_image(ORDINARY[kind]).rgb for kind in kinds}
    wrong = []

    def work(offset):
        for i in range(100):
            kind = kinds[(i + offset) % len(kinds)]
            if not np.array_equal(read_image(ORDINARY[kind]).rgb, expected[kind]):
                wrong.append(kind)

    threads = [threading.Thread(target=work, args=(5 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert Image.MAX_IMAGE_PIXELS == 100
