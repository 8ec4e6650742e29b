"""The CNN detector finds dlib's rectangles, in dlib's order, and survives images that dlib does not."""

import pickle

import dlib
import numpy as np
import pytest

from faceheads.weights import find_weights
from features.detect import cnn
from features.detect.cnn import CnnDetector

#: What the issue demands of the confidence against dlib's.
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def detector():
    return CnnDetector()


@pytest.fixture(scope="module")
def dlib_detector():
    return dlib.cnn_face_detection_model_v1(str(find_weights("dlib_cnn_detector")))


def assert_equal_to_dlib(faces, found):
    """The same rectangles, last pixel included there and not here, in the same order and as sure."""
    rectangles = [d.rect for d in found]
    expected = [(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rectangles]
    assert [tuple(face.box_xyxy) for face in faces] == expected
    np.testing.assert_allclose(
        [f.detection_score for f in faces], [d.confidence for d in found], rtol=0, atol=TOLERANCE
    )


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("position", range(0, 120, 24))
def test_faces_of_a_portrait_equal_dlibs(detector, dlib_detector, lfw_photos, position):
    photo = dlib.load_rgb_image(str(lfw_photos[position]))
    assert_equal_to_dlib(detector.detect([photo])[0], dlib_detector(photo, 0))


def test_faces_of_an_upsampled_photo_equal_dlibs(dlib_detector, group_photos):
    photo = dlib.load_rgb_image(str(group_photos[0]))[100:380, 150:500].copy()
    found = dlib_detector(photo, 1)
    assert len(found) >= 1
    assert_equal_to_dlib(CnnDetector(upsample=1).detect([photo])[0], found)


def test_faces_that_the_border_cuts_off_equal_dlibs(detector, dlib_detector, lfw_photos):
    photo = dlib.load_rgb_image(str(lfw_photos[0]))[81:, 77:].copy()
    found = dlib_detector(photo, 0)
    assert found and min(found[0].rect.left(), found[0].rect.top()) < 0
    assert_equal_to_dlib(detector.detect([photo])[0], found)


@pytest.mark.parametrize("size", [(7, 40), (8, 50), (12, 12), (10, 300), (300, 10), (37, 111)])
def test_images_of_odd_size_have_the_faces_that_dlib_finds(detector, dlib_detector, size):
    image = noise(*size)
    assert_equal_to_dlib(detector.detect([image])[0], dlib_detector(image, 0))


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (4, 28), (6, 40), (300, 9), (3, 3000)])
def test_images_that_crash_dlib_have_no_face(detector, size):
    assert detector.detect([noise(*size)]) == [[]]


def test_a_batch_gives_the_faces_of_each_image_in_its_place(detector, lfw_photos):
    photos = [dlib.load_rgb_image(str(path)) for path in lfw_photos[:4]]
    images = [photos[0], photos[1][20:, 10:].copy(), noise(5, 5), photos[2], photos[3]]
    together = detector.detect(images)
    alone = [detector.detect([image])[0] for image in images]
    assert [len(faces) for faces in together] == [len(faces) for faces in alone]
    for faces, expected in zip(together, alone):
        for face, reference in zip(faces, expected):
            np.testing.assert_array_equal(face.box_xyxy, reference.box_xyxy)
            assert face.detection_score == pytest.approx(reference.detection_score, abs=1e-5)


def test_images_of_one_size_are_split_into_batches_that_fit(detector, monkeypatch):
    monkeypatch.setattr(cnn, "BATCH_PIXELS", 2 * 82 * 800)
    batches = []
    score = detector._score
    monkeypatch.setattr(
        detector, "_score", lambda images, layout: batches.append(len(images)) or score(images, layout)
    )
    assert detector.detect([noise(60, 60, seed) for seed in range(7)]) == [[]] * 7
    assert len(batches) > 1 and sum(batches) == 7


def test_no_images_have_no_faces(detector):
    assert detector.detect([]) == []


@pytest.mark.parametrize("threshold", [-3.0, 1.05])
def test_a_threshold_cuts_the_list_of_faces_at_its_score(detector, group_photos, threshold):
    photo = dlib.load_rgb_image(str(group_photos[0]))[:400, :700].copy()
    first, second = detector.detect([photo])[0], CnnDetector(threshold=threshold).detect([photo])[0]
    few, many = sorted([first, second], key=len)
    assert 0 < len(few) < len(many)
    assert len(few) == sum(face.detection_score > max(threshold, 0.0) for face in many)
    for face, other in zip(few, many):
        np.testing.assert_array_equal(face.box_xyxy, other.box_xyxy)


def test_a_score_counts_only_above_the_threshold_and_is_dlibs_where_it_is_near(dlib_detector, lfw_photos):
    photo = dlib.load_rgb_image(str(lfw_photos[0]))
    (found,) = dlib_detector(photo, 0)
    score = np.float32(found.confidence)
    assert CnnDetector(threshold=float(score)).detect([photo]) == [[]]
    (face,) = CnnDetector(threshold=float(np.nextafter(score, np.float32(0)))).detect([photo])[0]
    assert face.detection_score == found.confidence


def test_an_image_full_of_equal_scores_is_not_scored_for_ever(monkeypatch):
    rescored = []
    monkeypatch.setattr(cnn, "score_in_dlibs_order", lambda *place: rescored.append(place) or np.float32(0))
    faces = CnnDetector(threshold=-20.0).detect([np.full((250, 250, 3), 128, np.uint8)])[0]
    assert len(faces) > 10
    assert len(rescored) <= cnn.MAX_RESCORED


def test_a_detector_survives_pickling(detector, lfw_photos):
    photo = dlib.load_rgb_image(str(lfw_photos[0]))
    copy = pickle.loads(pickle.dumps(detector))
    assert copy.settings == detector.settings
    np.testing.assert_array_equal(copy.detect([photo])[0][0].box_xyxy, detector.detect([photo])[0][0].box_xyxy)


def test_the_settings_are_what_changes_the_boxes(detector):
    assert (detector.name, detector.landmark_scheme) == ("cnn", "none")
    assert CnnDetector(upsample=2, threshold=-0.5).settings == {"upsample": 2, "threshold": -0.5}


@pytest.mark.parametrize("settings", [{"upsample": -1}, {"upsample": 5}, {"upsample": 1.0}, {"upsample": True}])
def test_an_upsampling_that_cannot_be_is_an_error(settings):
    with pytest.raises(ValueError, match="upsample must be a whole number from 0 to 4"):
        CnnDetector(**settings)


def test_a_threshold_that_is_no_number_is_an_error():
    with pytest.raises(ValueError, match="threshold must be a finite number; got nan"):
        CnnDetector(threshold=float("nan"))


@pytest.mark.parametrize("image", [noise(5, 5)[..., 0], noise(5, 5).astype(np.float32), noise(5, 5)[:0]])
def test_what_is_no_rgb_image_is_an_error(detector, image):
    with pytest.raises(ValueError, match="an image must be a uint8 array"):
        detector.detect([image])


def test_an_image_that_would_take_too_much_memory_is_an_error(monkeypatch):
    monkeypatch.setattr(CnnDetector, "max_scanned_pixels", 1000)
    with pytest.raises(ValueError, match="at most 1000 pixels after upsampling; got 20 x 30, upsampled 1 times: 2400"):
        CnnDetector(upsample=1).detect([noise(30, 20)])
