"""The HOG detector, against dlib's own and against the tables that the original pipeline wrote in 2018."""

import functools
import importlib.util
import pickle
import sys
import threading

import dlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from faceheads.images.reading import read_image
from features.detect import make_detector
from features.detect.hog import HogDetector

#: Faces in each photo: rows of the tables that the original pipeline wrote in 2018 (``expected/*.csv``), and what dlib
#: 20.0.1 finds, by ``python -m benchmarks.group_photos``.
GROUP_PHOTOS = {
    "ellen-selfie": 8,
    "grammy-selfie": 15,
    "korean-protest": 11,
    "korean-womens-volleyball": 15,
    "london-olympics-basketball-men": 9,
    "realmadrid-ucl": 6,
    "sanders-rally": 5,
    "trump-rally": 20,
}

IMPLEMENTATIONS = [
    "dlib",
    pytest.param(
        "numba", marks=pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="needs the extra [fast]")
    ),
]


def dlib_boxes(image, upsample, threshold=0.0):
    """Half-open boxes and scores of dlib itself, as a fresh detector gives them."""
    rectangles, scores, _ = dlib.get_frontal_face_detector().run(image, upsample, threshold)
    return [(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rectangles], list(scores)


def boxes_of(faces):
    return [tuple(face.box_xyxy.astype(int)) for face in faces]


def drawn_face(size=120):
    """A picture in which dlib finds one face: a light oval with dark eyes, brows, nose and mouth."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    gray = np.full((size, size), 60.0)
    gray[(x / 0.36) ** 2 + (y / 0.47) ** 2 < 1] = 190
    for side in (-1, 1):
        gray[((x - 0.16 * side) / 0.09) ** 2 + ((y + 0.08) / 0.04) ** 2 < 1] = 50
        gray[(np.abs(x - 0.16 * side) < 0.11) & (np.abs(y + 0.17) < 0.018)] = 70
    gray[(np.abs(x) < 0.05) & (np.abs(y - 0.12) < 0.015)] = 110
    gray[(x / 0.16) ** 2 + ((y - 0.26) / 0.04) ** 2 < 1] = 80
    return np.repeat(gray[:, :, np.newaxis], 3, axis=2).astype(np.uint8)


def scene(n_faces=2):
    """Drawn faces side by side on gray, RGB."""
    image = np.full((180, 160 * n_faces, 3), 100, np.uint8)
    for i in range(n_faces):
        image[30:150, 160 * i + 20 : 160 * i + 140] = drawn_face()
    return image


@functools.cache
def found_in(path, implementation):
    """The pixels of a photo, and what an implementation finds in it with one upsampling."""
    image = read_image(path).rgb
    return image, HogDetector(1, implementation=implementation).detect([image])[0]


def test_group_photos_have_the_boxes_and_scores_of_dlib_alone(group_photos):
    for path in group_photos[1:3]:
        boxes, scores = dlib_boxes(np.array(Image.open(path).convert("RGB")), upsample=1)
        faces = found_in(path, "dlib")[1]
        assert boxes_of(faces) == boxes
        assert [face.detection_score for face in faces] == scores


@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="needs the extra [fast]")
def test_numba_finds_dlibs_boxes_and_scores_in_dlibs_order(group_photos):
    for path in group_photos:
        own, dlibs = found_in(path, "numba")[1], found_in(path, "dlib")[1]
        assert boxes_of(own) == boxes_of(dlibs)
        np.testing.assert_allclose([f.detection_score for f in own], [f.detection_score for f in dlibs], atol=1e-5)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_group_photos_have_the_faces_of_2018_photo_by_photo(group_photos, data_dir, implementation):
    n_faces, n_equal = {}, 0
    for path in group_photos:
        image, faces = found_in(path, implementation)
        table = pd.read_csv(data_dir / "group_photos" / "expected" / f"{path.stem}.csv")
        boxes_2018 = set(table[["left", "top", "right", "bottom"]].itertuples(index=False, name=None))
        n_faces[path.stem] = len(faces)
        n_equal += len(set(as_in_2018(faces, image)) & boxes_2018)
        assert len(table) == len(faces)
    assert n_faces == GROUP_PHOTOS
    assert sum(n_faces.values()) == 89
    assert n_equal == 85


def as_in_2018(faces, image):
    """Boxes as the original pipeline wrote them: the last pixel included, but cut to the image's width and height."""
    height, width = image.shape[:2]
    boxes = np.array(boxes_of(faces)) - [0, 0, 1, 1]
    return [tuple(box) for box in np.clip(boxes, 0, [width, height, width, height])]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_without_upsampling_the_boxes_are_dlibs_too(group_photos, implementation):
    for path in group_photos[1:3]:
        image = read_image(path).rgb
        faces = HogDetector(0, implementation=implementation).detect([image])[0]
        assert boxes_of(faces) == dlib_boxes(image, upsample=0)[0]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_drawn_face_is_found_where_it_is(implementation):
    faces = HogDetector(1, implementation=implementation).detect([scene(), scene(1)])
    assert [len(found) for found in faces] == [2, 1]
    for face in faces[0] + faces[1]:
        x0, y0, x1, y1 = face.box_xyxy
        assert face.detector == "hog"
        assert face.landmark_scheme == "none"
        assert face.detection_score > 0
        assert 0.5 < (x1 - x0) / 120 < 1.1
        assert abs((x0 + x1) / 2 % 160 - 80) < 10
        assert abs((y0 + y1) / 2 - 90) < 20
    assert boxes_of(faces[0]) == dlib_boxes(scene(), 1)[0]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(("threshold", "n_faces"), [(-0.8, 2), (0.0, 1), (1.6, 0)])
def test_the_threshold_is_the_least_score(implementation, threshold, n_faces):
    image = scene()
    image[:, :74] = 100  # a third of one face covered: it scores -0.56, the other 1.57
    faces = HogDetector(1, threshold, implementation).detect([image])[0]
    assert len(faces) == n_faces
    assert boxes_of(faces) == dlib_boxes(image, 1, threshold)[0]
    scores = [face.detection_score for face in faces]
    assert all(score >= threshold for score in scores)
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("image_hw", [(1, 1), (1, 500), (79, 79), (30, 1000)])
def test_images_smaller_than_the_window_have_no_face(implementation, image_hw):
    assert HogDetector(0, implementation=implementation).detect([np.full((*image_hw, 3), 90, np.uint8)]) == [[]]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_the_images_memory_layout_does_not_matter(implementation):
    image = scene()
    flipped_twice = np.ascontiguousarray(image[::-1, ::-1])[::-1, ::-1]
    read_only = image.copy()
    read_only.setflags(write=False)
    detector = HogDetector(1, implementation=implementation)
    first, second, third = (boxes_of(faces) for faces in detector.detect([image, flipped_twice, read_only]))
    assert first == second == third


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_pickled_detector_finds_the_same(implementation):
    detector = HogDetector(1, -0.5, implementation)
    expected = boxes_of(detector.detect([scene()])[0])
    copy = pickle.loads(pickle.dumps(detector))
    assert copy.settings == detector.settings
    assert copy.implementation == implementation
    assert boxes_of(copy.detect([scene()])[0]) == expected


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_threads_that_share_a_detector_find_what_one_finds_alone(implementation):
    detector = HogDetector(1, implementation=implementation)
    images = [scene(n) for n in (1, 2, 1, 2)]
    expected = [boxes_of(faces) for faces in detector.detect(images)]
    wrong, scanners = [], set()

    def work():
        scanners.add(detector._scan)
        for image, boxes in zip(images, expected, strict=True):
            if boxes_of(detector.detect([image])[0]) != boxes:
                wrong.append(image.shape)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(scanners) == 4


def test_the_settings_are_the_same_whatever_runs():
    settings = {"upsample": 2, "threshold": 0.25}
    for implementation in ("auto", "dlib"):
        assert HogDetector(2, 0.25, implementation).settings == settings
    assert HogDetector(upsample=0, threshold=0).settings == {"upsample": 0, "threshold": 0.0}


def test_without_numba_dlib_runs_and_numba_by_name_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "features.detect.fhog", None)
    assert HogDetector().implementation == "dlib"
    with pytest.raises(ImportError, match=r"pip install faceheads\[fast\]"):
        HogDetector(implementation="numba")


def test_an_image_too_large_to_scan_is_refused_before_memory_is_taken(monkeypatch):
    monkeypatch.setattr(HogDetector, "max_scanned_pixels", 100 * 100 * 4)
    detector = HogDetector(1, implementation="dlib")
    assert detector.detect([np.zeros((100, 100, 3), np.uint8)]) == [[]]
    with pytest.raises(ValueError, match="at most 40000 pixels after upsampling; got 101 x 100, upsampled 1 times"):
        detector.detect([np.zeros((100, 101, 3), np.uint8)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"upsample": -1}, "upsample must be a whole number from 0 to 4; got -1"),
        ({"upsample": 5}, "got 5"),
        ({"upsample": 1.0}, "got 1.0"),
        ({"upsample": True}, "got True"),
        ({"threshold": float("nan")}, "threshold must be a finite number"),
        ({"implementation": "cuda"}, "implementation must be 'auto', 'numba' or 'dlib'; got 'cuda'"),
    ],
)
def test_wrong_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        HogDetector(**arguments)


@pytest.mark.parametrize("image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3))])
def test_what_is_no_rgb_image_is_refused(image):
    with pytest.raises(ValueError, match="must be a uint8 array of shape"):
        make_detector("hog", implementation="dlib").detect([image])
