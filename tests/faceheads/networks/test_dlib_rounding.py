"""Scores in dlib's order of additions are dlib's to the last bit, and near those of the fast network everywhere."""

import dlib
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from faceheads.networks.dlib_mmod import INPUT_SCALE, build_dlib_mmod
from faceheads.networks.dlib_network import Convolution
from faceheads.networks.dlib_rounding import output_sizes, score_in_dlibs_order, spans_needed
from faceheads.weights import find_weights
from features.detect.tiled_pyramid import build_tiled_pyramid, make_layout


@pytest.fixture(scope="module")
def network():
    return build_dlib_mmod(find_weights("dlib_cnn_detector")).requires_grad_(False)


def test_the_surest_face_has_dlibs_score_to_the_last_bit(network, lfw_photos):
    model = dlib.cnn_face_detection_model_v1(str(find_weights("dlib_cnn_detector")))
    for path in lfw_photos[:90:30]:
        photo = dlib.load_rgb_image(str(path))
        layout = make_layout(*photo.shape[:2], 10, 11)
        plane = build_tiled_pyramid(torch.from_numpy(photo)[None], layout, network.average_rgb, INPUT_SCALE)
        scores = network(plane)[0].numpy()
        row, column = np.unravel_index(np.argmax(scores), scores.shape)
        score = score_in_dlibs_order(network.layers, plane[0].numpy(), row, column)
        assert score == model(photo, 0)[0].confidence


@pytest.mark.parametrize("place", [(0, 0), (0, 5), (7, 3), (13, 0), (13, 11)])
def test_a_window_at_the_border_has_the_score_that_the_network_gives(network, place):
    plane = torch.rand(1, 3, 135, 119, generator=torch.Generator().manual_seed(0)) - 0.5
    scores = network(plane)[0]
    assert scores.shape == (14, 12)
    assert score_in_dlibs_order(network.layers, plane[0].numpy(), *place) == pytest.approx(
        float(scores[place]), abs=1e-4
    )


def test_spans_cover_what_a_convolution_reads():
    geometry, size = ((5, 2, 0), (3, 1, 1)), 21
    sizes = output_sizes(geometry, size)
    assert sizes == [21, 9, 9]
    # Rows 0 and 1 of the last output read rows −1 … 2 of the one before, which read rows 0 … 8 of the input.
    first, second = spans_needed(geometry, sizes, 0, 2)
    assert (first.start, first.stop, first.zeros_before, first.zeros_behind) == (0, 9, 0, 0)
    assert (second.start, second.stop, second.zeros_before, second.zeros_behind) == (0, 3, 1, 0)


def test_products_are_added_one_by_one():
    # 2^24 + 1 is 2^24 in float32, so the order decides: 1 and 1 first would give 2^24 + 2.
    filters = np.array([2.0**24, 1, 1], np.float32).reshape(1, 1, 1, 3)
    layer = Convolution(filters, np.zeros(1, np.float32), (1, 1), (0, 0))
    assert score_in_dlibs_order([layer], np.ones((1, 1, 3), np.float32), 0, 0) == 2.0**24
    assert F.conv2d(torch.ones(1, 1, 1, 3).double(), torch.from_numpy(filters).double()).item() == 2.0**24 + 2
