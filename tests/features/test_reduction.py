"""Reduced photos give the boxes of the whole photo, as far as the detector's smallest face allows."""

import numpy as np
import pytest

from faceheads.images.reading import read_image
from features.detect import make_detector
from features.face import Face
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig
from features.reduction import _SMALLEST_FACE_PX, ReducedDetector, reduction_for


class Recorder:
    """Finds one box in every image and keeps what it was shown."""

    name = "hog"
    landmark_scheme = "none"

    def __init__(self):
        self.settings = {"upsample": 1}

    def detect(self, images):
        self.seen = images
        return [[Face(np.array([1, 2, 11, 22]), 0.5, "hog")] for _ in images]


def test_the_detector_sees_means_of_pixels_and_its_boxes_are_scaled_to_the_whole_image():
    inner = Recorder()
    image = np.random.default_rng(0).integers(0, 256, (60, 91, 3), np.uint8)
    (face,) = ReducedDetector(inner, 3).detect([image])[0]
    assert inner.seen[0].shape == (20, 30, 3)
    assert face.detection_score == 0.5
    np.testing.assert_allclose(face.box_xyxy, [91 / 30, 6, 11 * 91 / 30, 66], rtol=1e-6)
    square = image[:, :90]
    ReducedDetector(inner, 3).detect([square])
    means = square.reshape(20, 3, 30, 3, 3).mean(axis=(1, 3))
    assert np.abs(inner.seen[0] - means).max() <= 0.5


def test_a_photo_smaller_than_the_factor_keeps_a_pixel():
    inner = Recorder()
    ReducedDetector(inner, 9).detect([np.zeros((2, 50, 3), np.uint8)])
    assert inner.seen[0].shape == (1, 6, 3)


@pytest.mark.parametrize(
    ("detector", "settings", "min_face_px", "factor"),
    [("hog", {}, 80, 2), ("hog", {}, 159, 3), ("hog", {"upsample": 0}, 160, 2), ("cnn", {}, 160, 2)],
)
def test_the_factor_leaves_the_smallest_face_that_counts_as_large_as_the_detector_needs(
    detector, settings, min_face_px, factor
):
    assert reduction_for(detector, settings, min_face_px) == factor


def test_the_defaults_of_the_detectors_are_known():
    assert make_detector("hog").settings["upsample"] == _SMALLEST_FACE_PX["hog"][1]
    assert make_detector("cnn").settings["upsample"] == _SMALLEST_FACE_PX["cnn"][1]


@pytest.mark.data
@pytest.mark.parametrize("detector", ["hog", "cnn"])
def test_the_smallest_face_that_a_detector_finds_is_as_large_as_assumed(detector, group_photos):
    side_px, _ = _SMALLEST_FACE_PX[detector]
    photos = [path for path in group_photos if path.name in ("grammy-selfie.jpg", "korean-protest.jpg")]
    found = make_detector(detector, upsample=0).detect([read_image(path).rgb for path in photos])
    smallest = min(face.size_px for faces in found for face in faces)
    assert 0.9 * side_px < smallest <= side_px


@pytest.mark.data
def test_no_face_that_counts_is_lost_in_the_halved_photo(group_photos):
    (photo,) = [path for path in group_photos if path.name == "ellen-selfie.jpg"]
    image = read_image(photo).rgb
    whole = [face.box_xyxy for face in make_detector("hog").detect([image])[0] if face.size_px >= 80]
    halved = np.array([face.box_xyxy for face in ReducedDetector(make_detector("hog"), 2).detect([image])[0]])
    assert len(whole) >= 5
    for box in whole:
        away = np.abs(halved - box).max(axis=1).min()
        assert away < 0.25 * (box[2] - box[0])


def test_the_factor_is_part_of_the_specification_and_comes_back_from_it():
    config = PipelineConfig(detector_settings={"reduction": 2})
    spec = FacePipeline(config).table_spec
    assert spec.detector_settings["reduction"] == 2
    assert spec.table_digest != FacePipeline(PipelineConfig()).table_spec.table_digest
    assert FacePipeline(PipelineConfig.from_spec(spec)).table_spec == spec
