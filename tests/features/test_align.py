"""Crops, against dlib, facenet-pytorch and a second derivation of the similarity transform."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from faceheads.images.reading import read_image
from faceheads.weights import find_weights
from features.align import AlignmentError, crop_faces, similarity_transform
from features.detect import make_detector
from features.jitter import jitter_crops
from features.landmarks import find_landmarks
from tests.features.scenes import face_at, noise_image, random_face, smooth_image, wave

#: Where ArcFace's training crops of 112 x 112 have the eye on the left, the eye on the right, the nose tip and the
#: mouth corners, (x, y) px. Deng et al., "ArcFace", CVPR 2019, reference alignment.
ARCFACE_TEMPLATE_112 = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
DLIB_CHIP = {"kind": "dlib_chip", "size": 150, "padding": 0.25}
ARCFACE = {"kind": "similarity", "template": ARCFACE_TEMPLATE_112, "size_hw": [112, 112]}
FACENET = {"kind": "box_margin", "size": 160, "margin": 20}


# ----------------------------------------------------------------------------------------------------- dlib's chip


@pytest.mark.parametrize("scheme", ["dlib5", "dlib68"])
@pytest.mark.parametrize(("size", "padding"), [(150, 0.25), (96, 0.0), (200, 0.5)])
def test_a_chip_is_dlibs_own_to_the_pixel(scheme, size, padding):
    rng, image = np.random.default_rng(1), noise_image()
    for _ in range(10):
        face = random_face(rng, scheme)
        parts = [dlib.point(int(x), int(y)) for x, y in face.landmarks_xy]
        expected = dlib.get_face_chip(
            image, dlib.full_object_detection(dlib.rectangle(0, 0, 9, 9), parts), size, padding
        )
        chips = crop_faces(image, [face], {"kind": "dlib_chip", "size": size, "padding": padding})
        np.testing.assert_array_equal(chips, expected[np.newaxis])


def test_chips_of_photos_are_those_of_dlibs_own_pipeline(lfw_photos):
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(find_weights("dlib_landmarks5")))
    hog = make_detector("hog", implementation="dlib")
    n_faces = 0
    for path in lfw_photos[::12]:
        image = read_image(path).rgb
        expected = [dlib.get_face_chip(image, predictor(image, box), 150, 0.25) for box in detector(image, 1)]
        faces = find_landmarks(image, hog.detect([image])[0], "dlib5")
        np.testing.assert_array_equal(crop_faces(image, faces, DLIB_CHIP), np.array(expected).reshape(-1, 150, 150, 3))
        n_faces += len(faces)
    assert n_faces >= 10


def test_a_chip_over_the_border_is_black_outside_the_image():
    white = np.full((100, 100, 3), 255, np.uint8)
    face = face_at([60, 60, 140, 140], [[130, 80], [120, 80], [90, 80], [100, 80], [110, 110]], "dlib5")
    chip = crop_faces(white, [face], DLIB_CHIP)[0]
    assert (chip[:, -1] == 0).all()
    assert (chip[0, :40] == 255).all()


def test_a_chip_needs_dlibs_landmarks():
    with pytest.raises(ValueError, match="landmarks of scheme 'dlib5' or 'dlib68'; got 'arcface5'"):
        crop_faces(noise_image(), [face_at([0, 0, 9, 9], np.eye(5, 2), "arcface5")], DLIB_CHIP)


@pytest.mark.parametrize("points", [np.full((5, 2), 7.0), np.full((5, 2), np.nan)])
def test_landmarks_that_coincide_are_one_faces_failure(points):
    with pytest.raises(AlignmentError, match="coincide or are not finite"):
        crop_faces(noise_image(), [face_at([0, 0, 9, 9], points, "dlib5")], DLIB_CHIP)
    with pytest.raises(AlignmentError, match="coincide or are not finite"):
        crop_faces(noise_image(), [face_at([0, 0, 9, 9], points, "arcface5")], ARCFACE)


# ------------------------------------------------------------------------------------------------------ similarity

coordinate = st.floats(-200, 200)
points5 = st.lists(st.tuples(coordinate, coordinate), min_size=5, max_size=5).map(np.array)
spread5 = points5.filter(lambda p: np.ptp(p, axis=0).max() > 1)


def by_complex_numbers(source, target):
    """The same least-squares problem, solved as w = a z + b over the complex numbers: no reflection can come out."""
    z, w = source @ [1, 1j], target @ [1, 1j]
    zc, wc = z - z.mean(), w - w.mean()
    a = (zc.conj() @ wc) / (zc.conj() @ zc)
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


@given(spread5, points5)
def test_the_similarity_is_the_one_that_complex_regression_finds(source, target):
    found, expected = similarity_transform(source, target), by_complex_numbers(source, target)
    points = np.column_stack([source, np.ones(5)])
    np.testing.assert_allclose(points @ found.T, points @ expected.T, atol=1e-6)


def moved(points, angle, scale, shift):
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * points @ rotation.T + shift


@given(st.floats(-np.pi, np.pi), st.floats(0.1, 20), st.tuples(coordinate, coordinate))
def test_a_face_turned_scaled_and_shifted_is_brought_back_to_the_template(angle, scale, shift):
    template = np.array(ARCFACE_TEMPLATE_112)
    matrix = similarity_transform(moved(template, angle, scale, shift), template)
    back = moved(template, angle, scale, shift) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, template, atol=1e-9 * max(1, 1000 / scale))
    np.testing.assert_allclose(np.linalg.det(matrix[:, :2]), scale**-2, rtol=1e-9)


@given(spread5)
def test_a_mirrored_face_is_never_mirrored_back(points):
    matrix = similarity_transform(points * [-1, 1], points)
    assert np.linalg.det(matrix[:, :2]) >= 0
    np.testing.assert_allclose(matrix[:, :2] @ matrix[:, :2].T, np.linalg.det(matrix[:, :2]) * np.eye(2), atol=1e-9)


def test_a_face_that_stands_on_the_template_is_cut_out_unchanged():
    image = noise_image()
    crop = crop_faces(image, [face_at([0, 0, 112, 112], ARCFACE_TEMPLATE_112, "arcface5")], ARCFACE)
    np.testing.assert_array_equal(crop[0], image[:112, :112])


@settings(max_examples=30)
@given(st.floats(-0.6, 0.6), st.floats(0.7, 1.3), st.floats(30, 90), st.floats(30, 60))
def test_the_crop_shows_the_scene_at_the_templates_places(angle, scale, shift_x, shift_y):
    points = moved(np.array(ARCFACE_TEMPLATE_112), angle, scale, (shift_x, shift_y))
    image = smooth_image(400, 400)
    crop = crop_faces(image, [face_at([0, 0, 9, 9], points, "arcface5")], ARCFACE)[0]
    y, x = np.mgrid[:112, :112]
    seen = moved(np.stack([x, y], axis=-1).reshape(-1, 2), angle, scale, (shift_x, shift_y))
    inside = ((seen > 1) & (seen < 398)).all(axis=1).reshape(112, 112)
    expected = wave(seen[:, 0], seen[:, 1]).reshape(112, 112, 3)
    assert np.abs(crop.astype(int) - expected)[inside].max() <= 3


def test_the_similarity_crop_takes_dlibs_68_and_is_black_outside():
    points = np.zeros((68, 2))
    for group, place in zip((slice(36, 42), slice(42, 48), 30, 48, 54), ARCFACE_TEMPLATE_112, strict=True):
        points[group] = np.array(place) - 50
    white = np.full((200, 200, 3), 255, np.uint8)
    crop = crop_faces(white, [face_at([0, 0, 9, 9], points, "dlib68")], ARCFACE)[0]
    assert (crop[:49] == 0).all()
    assert (crop[51:, 51:] == 255).all()


def test_points_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="two arrays of shape"):
        similarity_transform(np.zeros((5, 2)), np.zeros((4, 2)))


# ------------------------------------------------------------------------------------------------------- box crops


@pytest.fixture(scope="module")
def extract_face():
    """facenet-pytorch's own function, read from its source file without what that package imports beside it."""
    package = importlib.util.find_spec("facenet_pytorch")
    if package is None:
        pytest.skip("needs the extra [reference]: facenet-pytorch 2.5.3")
    pytest.importorskip("torch")
    functional = ModuleType("functional")
    functional.to_tensor = lambda array: array
    boxes = ModuleType("boxes")
    boxes.batched_nms = None
    stubs = {"torchvision.transforms": ModuleType("transforms"), "torchvision.ops.boxes": boxes}
    stubs["torchvision.transforms"].functional = functional
    path = Path(package.submodule_search_locations[0]) / "models" / "utils" / "detect_face.py"
    spec = importlib.util.spec_from_file_location("detect_face_of_facenet_pytorch", path)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("torchvision", "torchvision.ops"):
            patch.setitem(sys.modules, name, ModuleType(name))
        for name, stub in stubs.items():
            patch.setitem(sys.modules, name, stub)
        spec.loader.exec_module(module)
    return module.extract_face


@pytest.mark.parametrize("margin", [0, 20, 44])
@pytest.mark.parametrize("resize", ["pillow", "area"])
def test_the_margin_crop_is_facenet_pytorchs_to_the_pixel(extract_face, margin, resize):
    rng, image = np.random.default_rng(2), noise_image()
    source = Image.fromarray(image) if resize == "pillow" else image
    for _ in range(30):
        corner, sides = rng.uniform(-20, 180, 2), rng.uniform(25, 120, 2)
        face = face_at([*corner, *(corner + sides)], detector="mtcnn")
        expected = extract_face(source, [float(v) for v in face.box_xyxy], 160, margin)
        crop = crop_faces(image, [face], {**FACENET, "margin": margin, "resize": resize})[0]
        np.testing.assert_array_equal(crop, expected.astype(np.uint8))


def test_the_margin_crop_takes_pillows_resizing_unless_told_otherwise():
    image, face = noise_image(), face_at([10.4, 20.2, 180.9, 190.1])
    default, pillow, area = (
        crop_faces(image, [face], crop)
        for crop in (FACENET, {**FACENET, "resize": "pillow"}, {**FACENET, "resize": "area"})
    )
    np.testing.assert_array_equal(default, pillow)
    assert (default != area).any()


@pytest.mark.parametrize("crop", [FACENET, {"kind": "box_square", "size": 160, "margin": 0.0}])
def test_a_box_outside_the_image_is_black(crop):
    assert (crop_faces(np.full((50, 50, 3), 9, np.uint8), [face_at([300, 300, 340, 340])], crop) == 0).all()


def test_the_square_crop_keeps_the_shape_of_what_it_shows():
    image = np.zeros((100, 100, 3), np.uint8)
    image[40:60, 30:70] = 255  # a box of 40 x 20
    crop = crop_faces(image, [face_at([30, 40, 70, 60])], {"kind": "box_square", "size": 80, "margin": 0.5})[0]
    # shown: 80 x 80 px around (50, 50), one to one
    np.testing.assert_array_equal(crop, image[10:90, 10:90])


def test_the_square_crop_is_black_over_the_border():
    white = np.full((40, 40, 3), 255, np.uint8)
    crop = crop_faces(white, [face_at([20, 20, 60, 60])], {"kind": "box_square", "size": 40, "margin": 0})[0]
    assert (crop[:20, :20] == 255).all()
    assert (crop[21:] == 0).all()
    assert (crop[:, 21:] == 0).all()


# ---------------------------------------------------------------------------------------------------- crops as such


@pytest.mark.parametrize(
    ("crop", "size_hw"),
    [(DLIB_CHIP, (150, 150)), (FACENET, (160, 160)), ({**ARCFACE, "size_hw": [112, 96]}, (112, 96))],
)
def test_no_faces_give_an_empty_array_of_the_crops_size(crop, size_hw):
    assert crop_faces(noise_image(), [], crop).shape == (0, *size_hw, 3)


def test_crops_come_in_the_order_of_the_faces_whatever_the_images_memory_layout():
    image = noise_image()
    faces = [face_at([10 * i, 20, 10 * i + 60, 90]) for i in range(3)]
    together = crop_faces(image, faces, FACENET)
    reversed_view = np.ascontiguousarray(image[:, ::-1])[:, ::-1]
    for face, crop in zip(faces, together, strict=True):
        np.testing.assert_array_equal(crop_faces(reversed_view, [face], FACENET)[0], crop)


@pytest.mark.parametrize(
    ("crop", "message"),
    [
        ({"kind": "circle"}, "kind must be one of .* got 'circle'"),
        ({"size": 150}, "kind must be one of .* got None"),
        ({**DLIB_CHIP, "pading": 1}, "must have the settings .* got .*'pading'"),
        ({"kind": "dlib_chip", "size": 150}, r"must have the settings \['padding', 'size'\]"),
        ({**DLIB_CHIP, "size": 0}, "whole numbers from 1 to 4096"),
        ({**DLIB_CHIP, "size": 1e9}, "whole numbers from 1 to 4096"),
        ({**ARCFACE, "size_hw": [112]}, "whole numbers from 1 to 4096"),
        ({**DLIB_CHIP, "jitter": -1}, "jitter must be 0 or more; got -1"),
    ],
)
def test_a_wrong_crop_is_refused_before_anything_is_done(crop, message):
    with pytest.raises(ValueError, match=message):
        crop_faces(noise_image(), [], crop)


@pytest.mark.parametrize("wrong", [{"margin": 160}, {"margin": -1}, {"resize": "cubic"}])
def test_wrong_settings_of_the_margin_crop_are_refused(wrong):
    with pytest.raises(ValueError, match="margin must be at least 0 and less than the size"):
        crop_faces(noise_image(), [face_at([0, 0, 50, 50])], {**FACENET, **wrong})


def test_crop_faces_puts_the_copies_of_a_face_next_to_each_other():
    faces = [face_at([10 * i, 20, 10 * i + 60, 90]) for i in range(2)]
    plain = crop_faces(noise_image(), faces, FACENET)
    copies = crop_faces(noise_image(), faces, {**FACENET, "jitter": 3})
    np.testing.assert_array_equal(copies, jitter_crops(plain, 3))
    np.testing.assert_array_equal(copies[3:], jitter_crops(plain[1:], 3))
    np.testing.assert_array_equal(crop_faces(noise_image(), faces, {**FACENET, "jitter": 0}), plain)
