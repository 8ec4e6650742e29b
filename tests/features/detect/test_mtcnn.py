"""MTCNN against facenet-pytorch 2.5.3, photo by photo, and against golden values from it where it is not installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceheads.weights import WeightsError, find_weights
from features.detect import mtcnn
from features.detect.mtcnn import MtcnnDetector

# Golden: facenet_pytorch.MTCNN(keep_all=True).detect(numpy.asarray(photo), landmarks=True) of facenet-pytorch 2.5.3, torch 2.13.0,
# on matplotlib's sample photo grace_hopper.jpg (public domain). Its own convention: counted from 1, last pixel included.
HOPPER_BOX = [174.402161, 119.555458, 355.648224, 340.457001]
HOPPER_PROBABILITY = 0.9998244643
HOPPER_LANDMARKS = [
    [221.666077, 192.205933],
    [309.828888, 186.130432],
    [269.356812, 239.173676],
    [232.651901, 279.648682],
    [306.638458, 275.927490],
]


@pytest.fixture(scope="module")
def detector():
    try:
        for stage in ("pnet", "rnet", "onet"):
            find_weights(f"mtcnn_{stage}")
    except WeightsError as error:
        pytest.skip(f"needs MTCNN's weights: {error}")
    return MtcnnDetector()


@pytest.fixture(scope="module")
def hopper():
    spec = importlib.util.find_spec("matplotlib")
    if spec is None:
        pytest.skip("needs the sample photo of matplotlib: pip install matplotlib")
    photo = Path(spec.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"
    return np.asarray(Image.open(photo).convert("RGB"))


@pytest.fixture(scope="module")
def reference():
    """facenet-pytorch's detector, surest face first."""
    if importlib.util.find_spec("facenet_pytorch") is None or importlib.util.find_spec("torchvision") is None:
        pytest.skip("needs what it is compared with: pip install --no-deps facenet-pytorch==2.5.3 torchvision==0.28.0")
    from faceheads.networks.torchvision_guard import ensure_torchvision

    ensure_torchvision()
    from facenet_pytorch import MTCNN

    return MTCNN(keep_all=True, select_largest=False)


@pytest.fixture(scope="module")
def odd_images(hopper):
    """One face at several sizes, cut off, sideways, and images without any."""
    small = hopper[::2, ::2]
    noise = np.random.default_rng(0).integers(0, 256, (120, 90, 3), dtype=np.uint8)
    return [
        small,
        np.full((64, 48, 3), 127, np.uint8),
        hopper[::5, ::5],
        noise,
        np.ascontiguousarray(np.rot90(small)),
        small[50:120, 75:200],
        small[:20, :20],
        small[:, ::-1],
        hopper[101:381, 141:401],
    ]


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


def assert_same_faces(faces, image, reference):
    if min(image.shape[:2]) < reference.min_face_size:  # facenet-pytorch raises: it has no pyramid level
        assert faces == []
        return
    boxes, probabilities, landmarks = reference.detect(image, landmarks=True)
    if boxes is None:
        assert faces == []
        return
    assert len(faces) == len(boxes)
    found = np.array([face.box_xyxy for face in faces]) + [1, 1, 0, 0]
    # Two candidates that cut out the same pixels are equally sure; which of them stays is the processor's choice in
    # facenet-pytorch (numpy's unstable sort), and they are less than a pixel apart.
    np.testing.assert_allclose(found, boxes.astype(float), atol=1)
    np.testing.assert_allclose(np.array([face.landmarks_xy for face in faces]), landmarks.astype(float), atol=1)
    np.testing.assert_allclose([face.detection_score for face in faces], probabilities.astype(float), atol=1e-5)
    assert np.median(np.abs(found - boxes.astype(float))) < 1e-3


def assert_equal_boxes(some, others):
    assert [len(faces) for faces in some] == [len(faces) for faces in others]
    for faces, other_faces in zip(some, others, strict=True):
        for face, other in zip(faces, other_faces, strict=True):
            np.testing.assert_allclose(face.box_xyxy, other.box_xyxy, atol=1e-2)


def test_the_golden_face_is_found(detector, hopper):
    [[face]] = detector.detect([hopper])
    np.testing.assert_allclose(face.box_xyxy, np.array(HOPPER_BOX) - [1, 1, 0, 0], atol=0.01)
    np.testing.assert_allclose(face.landmarks_xy, HOPPER_LANDMARKS, atol=0.01)
    assert face.detection_score == pytest.approx(HOPPER_PROBABILITY, abs=1e-5)
    assert (face.detector, face.landmark_scheme) == ("mtcnn", "arcface5")


def test_landmarks_have_the_order_of_the_scheme(detector, hopper):
    [[face]] = detector.detect([hopper])
    eye_left, eye_right, nose, mouth_left, mouth_right = face.landmarks_xy
    assert eye_left[0] < nose[0] < eye_right[0]
    assert mouth_left[0] < mouth_right[0]
    assert max(eye_left[1], eye_right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])


def test_a_batch_of_odd_images_gives_facenet_pytorchs_faces(detector, reference, odd_images):
    for image, faces in zip(odd_images, detector.detect(odd_images), strict=True):
        assert_same_faces(faces, image, reference)


@pytest.mark.parametrize(
    "settings",
    [
        {"min_face_px": 8},
        {"min_face_px": 60, "factor": 0.5},
        {"thresholds": (0.2, 0.3, 0.1)},
        {"thresholds": (0.9, 0.99, 0.999)},
    ],
)
def test_other_settings_give_facenet_pytorchs_faces(detector, reference, odd_images, monkeypatch, settings):
    for name, value in settings.items():
        monkeypatch.setattr(reference, {"min_face_px": "min_face_size"}.get(name, name), value)
    for image, faces in zip(odd_images, MtcnnDetector(**settings).detect(odd_images), strict=True):
        assert_same_faces(faces, image, reference)


def test_photos_of_all_sizes_in_one_batch_give_facenet_pytorchs_faces(detector, reference, wider_photos, lfw_photos):
    photos = [read(path) for path in [*wider_photos[::4], *lfw_photos[:12]]]
    found = detector.detect(photos)
    for photo, faces in zip(photos, found, strict=True):
        assert_same_faces(faces, photo, reference)
    assert sum(map(len, found)) > 20


def test_a_batch_gives_what_its_images_give_alone(detector, odd_images):
    together = detector.detect(odd_images)
    alone = [detector.detect([image])[0] for image in odd_images]
    assert_equal_boxes(together, alone)


@pytest.mark.parametrize(
    ("name", "value"), [("MAX_PIXELS", 20_000), ("CROPS_AT_ONCE", {"cpu": 3}), ("LEVEL_PIXELS", {"cpu": 2_000})]
)
def test_limits_of_memory_do_not_change_what_is_found(detector, odd_images, monkeypatch, name, value):
    expected = detector.detect(odd_images)
    monkeypatch.setattr(mtcnn, name, value)
    assert_equal_boxes(MtcnnDetector().detect(odd_images), expected)


def test_of_many_candidates_the_surest_are_judged_when_there_is_a_limit(hopper, monkeypatch):
    side_by_side = np.hstack([hopper, hopper[:, ::-1]])
    limited = MtcnnDetector(max_candidates=1)
    judged = []
    judge = mtcnn._judge
    monkeypatch.setattr(
        mtcnn, "_judge", lambda n, crops, boxes: judged.append(len(boxes[0])) or judge(n, crops, boxes)
    )
    assert len(MtcnnDetector().detect([side_by_side])[0]) == 2
    assert len(limited.detect([side_by_side])[0]) == 1
    assert judged[0] > 1
    assert judged[2:] == [1, 1]
    assert limited.settings["max_candidates"] == 1
    assert "max_candidates" not in MtcnnDetector().settings


def test_the_surest_face_comes_first(detector, hopper):
    side_by_side = np.hstack([hopper[::2, ::2], hopper[::2, ::2][:, ::-1]])
    [faces] = MtcnnDetector(thresholds=(0.3, 0.3, 0.3)).detect([side_by_side])
    scores = [face.detection_score for face in faces]
    assert len(scores) >= 2
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("size_hw", [(1, 1), (19, 400), (400, 19), (20, 20)])
def test_an_image_with_hardly_any_pixels_has_no_faces(detector, size_hw):
    assert detector.detect([np.zeros((*size_hw, 3), np.uint8)]) == [[]]


def test_no_images_give_no_lists(detector):
    assert detector.detect([]) == []


@pytest.mark.parametrize(
    "image",
    [np.zeros((30, 30), np.uint8), np.zeros((30, 30, 4), np.uint8), np.zeros((30, 30, 3)), np.zeros((0, 9, 3))],
)
def test_what_is_no_image_is_an_error(detector, image):
    with pytest.raises(ValueError, match="must be a uint8 array of shape"):
        detector.detect([image])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_face_px": 0}, "min_face_px must be at least 1; got 0"),
        ({"thresholds": (0.6, 0.7)}, "three probabilities"),
        ({"thresholds": (0.6, 0.7, 7)}, "three probabilities"),
        ({"factor": 1.0}, "factor must be above 0 and below 1; got 1.0"),
        ({"max_candidates": 0}, "max_candidates must be at least 1, or None for all; got 0"),
    ],
)
def test_a_setting_out_of_its_range_is_an_error(settings, message):
    with pytest.raises(ValueError, match=message):
        MtcnnDetector(**settings)


def test_settings_tell_all_that_changes_what_is_found():
    assert MtcnnDetector(min_face_px=40).settings == {
        "min_face_px": 40,
        "thresholds": [0.6, 0.7, 0.7],
        "factor": 0.709,
    }
