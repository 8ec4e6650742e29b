"""dlib's network in 8 bits: close to float32, made of whole numbers only, without sums that processors cut off."""

import numpy as np
import pytest
import torch

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from faceheads.networks.dlib_resnet import build_dlib_resnet
from faceheads.networks.dlib_resnet_int8 import ACTIVATION_LIMIT, WEIGHT_LIMIT, Int8DlibResNet, _Writer
from faceheads.networks.dlib_resnet_layers import parse_layers
from faceheads.networks.dlib_resnet_statistics import ActivationStatistics
from faceheads.weights import find_weights

LAYERS = ("block07", "block14", "final")


@pytest.fixture(scope="module")
def network():
    return build_dlib_resnet(find_weights("dlib_resnet")).requires_grad_(False)


@pytest.fixture(scope="module")
def chips():
    """Something like faces: smooth, with all colours; ranges of photos are too narrow for pure noise."""
    rng = np.random.default_rng(0)
    small = torch.from_numpy(rng.integers(0, 256, (6, 3, 12, 12)).astype(np.float32))
    smooth = torch.nn.functional.interpolate(small, size=(150, 150), mode="bicubic").clamp(0, 255)
    return smooth.round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


@pytest.fixture(scope="module")
def as_tensor(chips):
    return torch.from_numpy(chips).permute(0, 3, 1, 2)


def cosines(one, other):
    return (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def test_the_layers_in_8_bits_point_where_those_of_float32_do(network, chips, as_tensor):
    int8 = Int8DlibResNet(network, LAYERS, ActivationStatistics.measured(network, as_tensor))
    vectors, expected = int8(chips), network(as_tensor, LAYERS).numpy()
    assert vectors.shape == expected.shape == (6, 64 + 256 + 128)
    assert vectors.dtype == np.float32
    for part in (slice(0, 64), slice(64, 320), slice(320, 448)):
        assert cosines(vectors[:, part], expected[:, part]).min() > 0.995
    np.testing.assert_array_equal(int8(chips[2:3])[0], vectors[2])


def test_the_shipped_statistics_are_those_of_every_activation(network, as_tensor, tmp_path, monkeypatch):
    shipped, measured = ActivationStatistics.shipped(), ActivationStatistics.measured(network, as_tensor)
    assert list(shipped.ranges) == list(measured.ranges)
    assert {name: len(mean) for name, mean in shipped.means.items()} == {n: len(m) for n, m in measured.means.items()}
    assert all(low <= 0 < high for low, high in shipped.ranges.values())
    assert all(shipped.ranges[name][0] < 0 for name in shipped.ranges if name.endswith("conv2"))
    measured.save(tmp_path / "s.json")
    monkeypatch.setattr("faceheads.networks.dlib_resnet_statistics.SHIPPED", tmp_path / "s.json")
    np.testing.assert_allclose(
        ActivationStatistics.shipped().means["pixels"], as_tensor.double().mean((0, 2, 3)), 1e-6
    )


def test_what_rounding_the_filters_adds_on_average_is_taken_from_the_biases(network, chips, as_tensor):
    measured = ActivationStatistics.measured(network, as_tensor)
    without = ActivationStatistics(measured.ranges, {name: 0 * mean for name, mean in measured.means.items()})
    expected = network(as_tensor).numpy()
    errors = [np.abs(Int8DlibResNet(network, ("final",), s)(chips) - expected).mean() for s in (measured, without)]
    assert errors[0] < 0.95 * errors[1]


def test_no_sum_of_two_products_leaves_16_bits(network):
    import onnx

    assert 2 * ACTIVATION_LIMIT * WEIGHT_LIMIT <= np.iinfo(np.int16).max
    model = _Writer(ActivationStatistics.shipped()).model(network, parse_layers(("final",)))
    onnx.checker.check_model(model, full_check=True)
    arrays = [onnx.numpy_helper.to_array(constant) for constant in model.graph.initializer]
    filters = [array for array in arrays if array.dtype == np.int8 and array.ndim == 4]
    assert len(filters) == 29
    assert max(np.abs(array.astype(int)).max() for array in filters) == WEIGHT_LIMIT


def test_every_convolution_is_computed_in_whole_numbers(network, chips, tmp_path):
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 4
    model = _Writer(ActivationStatistics.shipped()).model(network, parse_layers(("final",)))
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    operators = [node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node]
    assert operators.count("QLinearConv") == 29
    assert "Conv" not in operators


def test_a_layer_with_a_grid_is_refused(network):
    with pytest.raises(ValueError, match="mean of its whole plane"):
        Int8DlibResNet(network, ("block10@2x2",), ActivationStatistics.shipped())
