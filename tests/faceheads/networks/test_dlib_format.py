"""The reader of dlib's network files: what it reads is what was written, and nothing hostile gets through."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceheads.networks import dlib_format
from faceheads.networks.dlib_format import read_dlib_network
from faceheads.networks.dlib_network import (
    AddPrevious,
    Affine,
    BatchNormalisation,
    Convolution,
    MetricLoss,
    MmodLoss,
    OverlapTest,
    Pool,
    Relu,
)
from faceheads.weights import find_weights
from tests.faceheads.networks import dlib_files as files

FILTERS = np.arange(2 * 3 * 2 * 2, dtype=np.float32).reshape(2, 3, 2, 2) - 7.5
RECORDS = (files.convolution(FILTERS, [0.5, -0.25], (2, 1), (0, 3)), files.affine([2, 3], [4, -5]), files.relu())


@pytest.fixture
def write(tmp_path):
    """Write bytes to a file and return its path."""

    def write_bytes(data):
        path = tmp_path / "network.dat"
        path.write_bytes(data)
        return path

    return write_bytes


def test_layers_come_in_forward_order_with_their_values(write):
    network = read_dlib_network(write(files.network(*RECORDS, n_tags=2)))
    conv, affine, relu = network.layers
    assert network.loss == MetricLoss(0.04, 0.6)
    assert network.input.size_hw == (150, 150)
    assert isinstance(conv, Convolution) and isinstance(affine, Affine) and relu == Relu()
    np.testing.assert_array_equal(conv.filters, FILTERS)
    np.testing.assert_array_equal(conv.biases, [0.5, -0.25])
    assert (conv.stride_yx, conv.padding_yx) == ((2, 1), (0, 3))
    np.testing.assert_array_equal(affine.gamma, [2, 3])
    np.testing.assert_array_equal(affine.beta, [4, -5])


def test_weights_cannot_be_written_to(write):
    conv = read_dlib_network(write(files.network(*RECORDS))).layers[0]
    with pytest.raises(ValueError, match="read-only"):
        conv.filters[0] = 0


def test_every_truncation_is_an_error_that_names_file_and_offset(write):
    data = files.network(*RECORDS)
    for n_bytes in range(len(data)):
        with pytest.raises(ValueError, match=r"network\.dat: byte \d+ of \d+ must be .*; got "):
            read_dlib_network(write(data[:n_bytes]))


def test_bytes_behind_the_last_layer_are_an_error(write):
    with pytest.raises(ValueError, match="must be the end of the file; got 1 bytes more"):
        read_dlib_network(write(files.network(*RECORDS) + b"0"))


@given(st.data())
def test_a_damaged_byte_gives_a_network_or_a_value_error(tmp_path_factory, data):
    whole = bytearray(files.network(*RECORDS, n_tags=1))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.dat"
    path.write_bytes(whole)
    try:
        read_dlib_network(path)
    except ValueError as error:
        assert "damaged.dat" in str(error)


@given(st.binary(max_size=200))
def test_random_bytes_are_a_value_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "random.dat"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"random\.dat"):
        read_dlib_network(path)


@pytest.mark.parametrize("shape", [(1 << 40, 1 << 40, 3, 3), (1 << 30, 1, 1, 1), (-4, -4, 1, 1)])
def test_a_tensor_that_claims_to_be_huge_is_refused_before_memory_is_taken(write, shape):
    record = files.name("con_4") + files.integers(2, *shape) + bytes(1000)
    path = write(files.network(record))
    tracemalloc.start()
    with pytest.raises(ValueError, match="must be"):
        read_dlib_network(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_file_beyond_the_limit_is_refused_unread(write, monkeypatch):
    monkeypatch.setattr(dlib_format, "MAX_FILE_BYTES", 100)
    with pytest.raises(ValueError, match="at most 100 bytes; got 1000"):
        read_dlib_network(write(bytes(1000)))


def test_more_layers_than_any_network_has_are_refused(write, monkeypatch):
    monkeypatch.setattr(dlib_format, "MAX_LAYERS", 3)
    with pytest.raises(ValueError, match="at most 3 layers"):
        read_dlib_network(write(files.network(*RECORDS, files.relu())))


def batch_normalisation(variances):
    """A `bn_con2` record of two channels."""
    shape = (1, 2, 1, 1)
    tensors = [files.tensor(values) for values in ([0, 0], [1, 1], [5, 6], variances)]
    head = files.name("bn_con2") + files.tensor([1, 2, 3, 4]) + files.alias(*shape) * 2
    return head + b"".join(tensors) + files.integers(100, 50) + files.reals(1, 1, 1, 0, 0.5)


def test_batch_normalisation_is_read_with_its_running_statistics(write):
    (layer,) = read_dlib_network(write(files.network(batch_normalisation([7, 8])))).layers
    values = [layer.gamma, layer.beta, layer.mean, layer.variance]
    np.testing.assert_array_equal(values, [[1, 2], [3, 4], [5, 6], [7, 8]])
    assert layer.epsilon == 0.5


@pytest.mark.parametrize("version", [2, 3, 4])
def test_the_options_of_every_version_of_the_mmod_loss_are_read(write, version):
    windows = files.integers(2, 1, 80, 70, 2, 40, 50) + files.name("face")
    options = files.integer(version) + windows + files.reals(1, 1, 0.5) + files.reals(0.25, 0.75) + files.reals(0.5, 1)
    options += b"1" * (version >= 3) + (b"1" + files.real(100)) * (version >= 4)
    loss = read_dlib_network(write(files.network(*RECORDS, loss=files.name("loss_mmod_") + options))).loss
    assert loss == MmodLoss(((80, 70), (40, 50)), OverlapTest(0.25, 0.75), uses_box_regression=version == 4)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (files.name("dropout_"), "'dropout_'"),
        (files.convolution(FILTERS * np.nan, [0, 0]), "all finite"),
        (files.convolution(FILTERS, [0, 0], stride_yx=(0, 1)), "the stride in"),
        (files.convolution(FILTERS, [0, 0, 0]), "2 filters of"),
        (files.name("affine_") + files.tensor([1, 2, 3]) + files.alias(1, 2, 1, 1) * 2 + files.integer(0), "3 values"),
        (
            files.name("affine_")
            + files.tensor([1, 2, 3])
            + files.alias(1, 2, 1, 1)
            + files.alias(1, 1, 1, 1)
            + files.integer(0),
            "gamma and beta of one length",
        ),
        (files.name("relu_2") + b"1", "an enabled relu"),
        (batch_normalisation([7, -0.5]), "positive variance"),
        (batch_normalisation([7, 8, 9]), r"lengths \[2, 3\]"),
    ],
)
def test_a_layer_that_makes_no_sense_is_refused(write, record, message):
    with pytest.raises(ValueError, match=message):
        read_dlib_network(write(files.network(record)))


def test_only_the_innermost_layer_may_hold_the_input(write):
    versions_at = len(files.integer(1) + files.METRIC_LOSS)
    data = bytearray(files.network(*RECORDS))
    data[versions_at + 1] = 3
    with pytest.raises(ValueError, match="the innermost layer, which alone holds the input"):
        read_dlib_network(write(data))


def test_an_unknown_loss_is_refused(write):
    with pytest.raises(ValueError, match="loss_metric_2 or loss_mmod_; got 'loss_binary_hinge_'"):
        read_dlib_network(write(files.network(*RECORDS, loss=files.name("loss_binary_hinge_"))))


def test_batch_normalisation_is_the_affine_layer_of_its_running_statistics():
    layer = BatchNormalisation(*(np.array([v], np.float32) for v in (3, 5, 7, 15)), epsilon=1.0)
    affine = layer.as_affine()
    x = 11.0
    assert affine.gamma[0] * x + affine.beta[0] == 3 * (x - 7) / math.sqrt(15 + 1) + 5


def test_dlibs_embedding_network_is_read_to_its_end():
    network = read_dlib_network(find_weights("dlib_resnet"))
    convolutions = [layer for layer in network.layers if isinstance(layer, Convolution)]
    # anet of dnn_face_recognition_ex.cpp: 29 convolutions, 14 of them pairs of a residual block.
    assert len(convolutions) == 29
    assert sum(isinstance(layer, AddPrevious) for layer in network.layers) == 14
    assert network.loss.distance_threshold == pytest.approx(0.6)
    assert network.layers[-2] == Pool("avg", (0, 0), (1, 1), (0, 0))


def test_dlibs_cnn_detector_is_read_to_its_end():
    network = read_dlib_network(find_weights("dlib_cnn_detector"))
    shapes = [layer.filters.shape for layer in network.layers if isinstance(layer, Convolution)]
    # dnn_mmod_face_detection_ex.cpp: downsampler (16, 32, 32), three of 45 channels, one 9 x 9 to a score.
    assert shapes == [(16, 3, 5, 5), (32, 16, 5, 5), (32, 32, 5, 5), (45, 32, 5, 5)] + [(45, 45, 5, 5)] * 2 + [
        (1, 45, 9, 9)
    ]
    assert isinstance(network.loss, MmodLoss) and network.loss.windows_wh == ((80, 80),)
