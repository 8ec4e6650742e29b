"""Detectors by name, and the one that takes the image whole."""

import subprocess
import sys

import numpy as np
import pytest

from features.detect import DETECTORS, make_detector


def test_every_name_of_the_command_line_is_known():
    assert DETECTORS == ("hog", "cnn", "mtcnn", "none")


def test_settings_reach_the_detector():
    detector = make_detector("hog", upsample=2, threshold=-0.5, implementation="dlib")
    assert (detector.name, detector.landmark_scheme) == ("hog", "none")
    assert detector.settings == {"upsample": 2, "threshold": -0.5}


def test_an_unknown_name_or_setting_is_refused():
    with pytest.raises(ValueError, match=r"detector must be one of \['hog', .*\]; got 'haar'"):
        make_detector("haar")
    with pytest.raises(ValueError, match=r"'hog' takes the settings \['implementation', .*\]; got \['upsampl'\]"):
        make_detector("hog", upsampl=1)
    with pytest.raises(ValueError, match=r"'none' takes the settings \[\]; got \['upsample'\]"):
        make_detector("none", upsample=1)


def test_none_takes_each_image_whole_without_a_score():
    detector = make_detector("none")
    (first,), (second,) = detector.detect([np.zeros((20, 30, 3), np.uint8), np.zeros((5, 7, 3), np.uint8)])
    np.testing.assert_array_equal(first.box_xyxy, [0, 0, 30, 20])
    np.testing.assert_array_equal(second.box_xyxy, [0, 0, 7, 5])
    assert np.isnan(first.detection_score)
    assert (first.detector, first.landmark_scheme, detector.settings) == ("none", "none", {})
    with pytest.raises(ValueError, match="must be a uint8 array"):
        detector.detect([np.zeros((5, 7))])


def test_decoding_aligning_and_the_hog_detector_do_without_torch():
    code = (
        "import sys; import faceheads.images.reading, features.align; from features.detect import make_detector; "
        "make_detector('hog', implementation='dlib'); make_detector('none'); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
