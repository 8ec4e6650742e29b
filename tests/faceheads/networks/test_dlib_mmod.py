"""The network of dlib's CNN detector: how its output lies over its input, and that strips change nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from faceheads.networks import dlib_mmod
from faceheads.networks.dlib_format import read_dlib_network
from faceheads.networks.dlib_mmod import build_dlib_mmod
from faceheads.networks.dlib_network import Relu
from faceheads.weights import find_weights
from tests.faceheads.networks import dlib_files as files


@pytest.fixture(scope="module")
def network():
    return build_dlib_mmod(find_weights("dlib_cnn_detector")).requires_grad_(False)


def image(height, width, n_images=1):
    return torch.rand(n_images, 3, height, width, generator=torch.Generator().manual_seed(0)) - 0.5


def plain_scores(network, x):
    """The same convolutions one after the other, as torch does them."""
    for conv in network.convs[:-1]:
        x = F.relu(conv(x))
    return network.convs[-1](x)[:, 0]


def test_scores_are_those_of_the_plain_convolutions(network):
    x = image(150, 221, n_images=2)
    torch.testing.assert_close(network(x), plain_scores(network, x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("strip_pixels", [1, 30_000, 60_000, 99_999])
def test_strips_give_the_scores_of_the_whole(network, strip_pixels):
    x = image(611, 163)
    torch.testing.assert_close(network(x, strip_pixels), plain_scores(network, x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [29, 30, 36, 37, 40, 45])
def test_scores_have_the_size_of_the_plain_convolutions(network, size):
    x = image(size, 2 * size)
    assert network(x).shape == plain_scores(network, x).shape


@pytest.mark.parametrize(("height", "width"), [(28, 300), (300, 28), (5, 5), (1, 1)])
def test_images_without_room_for_a_score_give_none(network, height, width):
    assert network(image(height, width)).numel() == 0


def test_a_score_looks_at_the_input_around_its_centre(network):
    # Padded layers would hide the receptive field's edge, so the score is taken far from all borders.
    x = image(430, 470).requires_grad_()
    row, column = 24, 27
    network(x)[0, row, column].backward()
    rows, columns = np.nonzero(x.grad[0].abs().sum(0).numpy())
    middle = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
    np.testing.assert_allclose(network.input_xy(np.array([[column, row]])), [middle], rtol=0, atol=0)


def test_the_options_are_those_of_the_file(network):
    # dnn_mmod_face_detection_ex.cpp trains a window of 80 x 80; gaps are what input_rgb_image_pyramid uses by default.
    assert network.loss.windows_wh == ((80, 80),)
    assert (network.input.pyramid_padding, network.input.pyramid_outer_padding) == (10, 11)


def test_the_embedding_network_is_refused():
    with pytest.raises(ValueError, match="mmod loss with one window.*does not hold dlib's CNN face detector"):
        build_dlib_mmod(find_weights("dlib_resnet"))


def mmod_file(*records):
    options = files.integers(1, 80, 80) + files.reals(1, 1, 0.5, 0.34, 1, 0.5, 0.95)
    pyramid = files.name("input_rgb_image_pyramid") + files.reals(122.782, 117.001, 104.298)
    return files.network(*records, loss=files.name("loss_mmod_") + options, input_layer=pyramid)


def test_another_detector_is_refused(tmp_path):
    path = tmp_path / "vehicles.dat"
    path.write_bytes(mmod_file(files.convolution(np.zeros((16, 3, 5, 5)), np.zeros(16), (2, 2)), files.relu()))
    with pytest.raises(ValueError, match="layer 1 must be an affine layer of 16 channels; got Relu"):
        build_dlib_mmod(path)


def test_a_detector_with_another_layer_behind_the_last_is_refused(monkeypatch):
    path = find_weights("dlib_cnn_detector")
    network = read_dlib_network(path)
    changed = replace(network, layers=(*network.layers, Relu()))
    monkeypatch.setattr(dlib_mmod, "read_dlib_network", lambda path: changed)
    with pytest.raises(ValueError, match="layer 19 must be the end; got Relu"):
        build_dlib_mmod(path)
