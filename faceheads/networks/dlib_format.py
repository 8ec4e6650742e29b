"""Reads the network files (``.dat``) that dlib serializes, without dlib and without trusting them.

A file is a loss record, then the version numbers of the layers from the outermost to the innermost, the input layer,
and then the layers' own records innermost first, which is the order of the forward pass. Tags and skips leave no
record: how the layers are wired is known to whoever wrote the network's definition, not to the file.

Nothing here executes anything from the file. Every length is compared with the bytes that are left before memory is
touched, weights are read-only views of the file's bytes, and a file that does not end where its last layer ends is
refused.

References
----------
dlib's ``serialize.h`` (integers and floats) and ``dnn/core.h``, ``dnn/layers.h`` (layers), version 20.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

#: Larger files are refused unread; the largest network that dlib's author publishes has 129 MB.
MAX_FILE_BYTES = 1 << 30
#: More layers than any published dlib network has by a factor of ten.
MAX_LAYERS = 10_000
#: Longest name of a layer or label that is accepted, in bytes.
MAX_NAME_BYTES = 256
#: Widest gap in a tiled pyramid that is accepted; dlib's own are 10 and 11.
MAX_PADDING_PX = 1024
#: Exponents that stand for infinity, minus infinity and not-a-number in dlib's floats.
_SPECIAL_FLOATS = {32000: math.inf, 32001: -math.inf, 32002: math.nan}
#: A smaller power of two makes 0 of every 64-bit mantissa.
_LARGEST_SHIFT = 1200
#: Version numbers of layers are at most this; a larger integer is the length of the input layer's name.
_LAST_LAYER_VERSION = 3
_TAG_OR_SKIP, _LAYER, _INNERMOST_LAYER = 1, 2, 3


@dataclass(frozen=True, eq=False)
class Convolution:
    """``con_``: filters (outputs, inputs, rows, columns) and biases (outputs,), float32; zero padding on both sides."""

    filters: np.ndarray
    biases: np.ndarray
    stride_yx: tuple[int, int]
    padding_yx: tuple[int, int]
    is_followed_by_relu: bool = False


@dataclass(frozen=True, eq=False)
class Affine:
    """``affine_``: x · gamma + beta for each channel, float32 (channels,)."""

    gamma: np.ndarray
    beta: np.ndarray


@dataclass(frozen=True, eq=False)
class BatchNormalisation:
    """``bn_con2``: at test time x · gamma / sqrt(variance + epsilon) + (beta − mean · the same factor)."""

    gamma: np.ndarray
    beta: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    epsilon: float

    def as_affine(self) -> Affine:
        """What the layer computes at test time, rounded at each step as dlib does when it reads the file."""
        gamma = self.gamma / np.sqrt(self.variance + np.float32(self.epsilon))
        return Affine(gamma, self.beta - gamma * self.mean)


@dataclass(frozen=True)
class Relu:
    """``relu_``: max(x, 0)."""


@dataclass(frozen=True)
class Pool:
    """``max_pool_`` or ``avg_pool_``: ``kind`` is ``"max"`` or ``"avg"``; a window of (0, 0) is the whole plane."""

    kind: str
    window_hw: tuple[int, int]
    stride_yx: tuple[int, int]
    padding_yx: tuple[int, int]


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """``fc_``: weights (inputs, outputs) float32, biases (outputs,) or None."""

    weights: np.ndarray
    biases: np.ndarray | None


@dataclass(frozen=True)
class AddPrevious:
    """``add_prev_``: adds the output of a tagged layer; the smaller of the two is padded with zeros at its end."""


@dataclass(frozen=True)
class InputLayer:
    """``average_rgb`` is subtracted, then everything is divided by 256; the pyramid's paddings are in pixels."""

    kind: str
    average_rgb: tuple[float, float, float]
    size_hw: tuple[int, int] | None = None
    pyramid_padding: int = 0
    pyramid_outer_padding: int = 0


@dataclass(frozen=True)
class MetricLoss:
    """``loss_metric_``: two embeddings are of one identity when their distance is below ``distance_threshold``."""

    margin: float
    distance_threshold: float


@dataclass(frozen=True)
class OverlapTest:
    """Boxes overlap when intersection / bounding box of both, or the covered share of either, exceeds its limit."""

    iou_threshold: float
    percent_covered_threshold: float


@dataclass(frozen=True)
class MmodLoss:
    """``loss_mmod_``: the sliding windows (width, height) and the test for non-maximum suppression."""

    windows_wh: tuple[tuple[int, int], ...]
    overlaps_nms: OverlapTest
    uses_box_regression: bool = False


Layer: TypeAlias = Convolution | Affine | BatchNormalisation | Relu | Pool | FullyConnected | AddPrevious


@dataclass(frozen=True)
class Network:
    """A dlib network file: its loss, its input layer, and its layers in forward order, tags and skips left out."""

    path: Path
    loss: MetricLoss | MmodLoss
    input: InputLayer
    layers: tuple[Layer, ...]


class _Reader:
    """A position in the file's bytes; every read is checked against what is left."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.data = data
        self.offset = 0

    def fail(self, offset: int, expected: str, got: object) -> ValueError:
        """The error to raise, naming file, offset and what was expected there."""
        return ValueError(
            f"{self.path}: byte {offset} of {len(self.data)} must be {expected}; got {got}. "
            "The file is damaged or not a dlib network: fetch it again."
        )

    def take(self, n_bytes: int, what: str) -> memoryview:
        """The next ``n_bytes``, which must exist."""
        left = len(self.data) - self.offset
        if n_bytes > left:
            raise self.fail(self.offset, f"the start of {what} ({n_bytes} bytes)", f"only {left} bytes more")
        self.offset += n_bytes
        return memoryview(self.data)[self.offset - n_bytes : self.offset]

    def integer(self, what: str, low: int = -(1 << 63), high: int = (1 << 63) - 1) -> int:
        """An integer in [low, high]: control byte (sign in bit 7, number of bytes below), then the magnitude."""
        start = self.offset
        control = self.take(1, what)[0]
        n_bytes = control & 0x0F
        if control & 0x70 or not 1 <= n_bytes <= 8:
            raise self.fail(start, f"an integer ({what})", f"control byte {control:#04x}")
        magnitude = int.from_bytes(self.take(n_bytes, what), "little")
        value = -magnitude if control & 0x80 else magnitude
        if not low <= value <= high:
            raise self.fail(start, f"{what} in [{low}, {high}]", value)
        return value

    def pair(self, what: str, low: int = 0, high: int = 1 << 20) -> tuple[int, int]:
        """Two integers, vertical first."""
        return self.integer(what, low, high), self.integer(what, low, high)

    def real(self, what: str) -> float:
        """A float: integer mantissa, then integer exponent of two."""
        start = self.offset
        mantissa, exponent = self.integer(what), self.integer(what)
        if exponent in _SPECIAL_FLOATS:
            return _SPECIAL_FLOATS[exponent]
        try:
            return math.ldexp(mantissa, max(exponent, -_LARGEST_SHIFT))
        except OverflowError:
            raise self.fail(start, f"a float ({what})", f"{mantissa} · 2^{exponent}") from None

    def finite(self, what: str) -> float:
        """A float that is neither infinite nor NaN."""
        start = self.offset
        value = self.real(what)
        if not math.isfinite(value):
            raise self.fail(start, f"a finite float ({what})", value)
        return value

    def boolean(self, what: str) -> bool:
        """An ASCII 0 or 1."""
        start = self.offset
        byte = self.take(1, what)[0]
        if byte not in b"01":
            raise self.fail(start, f"'0' or '1' ({what})", f"{byte:#04x}")
        return byte == ord("1")

    def name(self, what: str) -> str:
        """A string: its length, then ASCII bytes."""
        n_bytes = self.integer(f"the length of {what}", 0, MAX_NAME_BYTES)
        start = self.offset
        text = bytes(self.take(n_bytes, what))
        if not text.isascii():
            raise self.fail(start, what, repr(text[:32]))
        return text.decode("ascii")

    def tensor(self, what: str) -> np.ndarray:
        """A view of a float32 tensor, shape (samples, channels, rows, columns); its values must be finite."""
        self.integer(f"the tensor version of {what}", 2, 2)
        shape = tuple(self.integer(f"a dimension of {what}", 0) for _ in range(4))
        start = self.offset
        values = np.frombuffer(self.take(4 * math.prod(shape), what), "<f4").reshape(shape)
        if not np.isfinite(values).all():
            raise self.fail(start, f"{what}, all finite", "an infinite value or NaN")
        return values

    def alias(self, what: str) -> tuple[int, ...]:
        """The shape of a part of a tensor."""
        self.integer(f"the alias version of {what}", 1, 1)
        return tuple(self.integer(f"a dimension of {what}", 0) for _ in range(4))

    def split(self, params: np.ndarray, start: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
        """``params`` cut into consecutive arrays of these shapes, which must use it up."""
        sizes = [math.prod(shape) for shape in shapes]
        if sum(sizes) != params.size:
            raise self.fail(start, f"parameters of shapes {shapes}", f"{params.size} values")
        parts = np.split(params.reshape(-1), np.cumsum(sizes)[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes)]


def _skip_learning_rates(reader: _Reader, count: int) -> None:
    for _ in range(count):
        reader.real("a learning rate or weight decay multiplier")


def _read_convolution(reader: _Reader, kind: str) -> Convolution:
    start = reader.offset
    params = reader.tensor("convolution parameters")
    n_filters = reader.integer("the number of filters", 1, 1 << 20)
    window_hw = reader.pair("the filter's size", 1)
    stride_yx, padding_yx = reader.pair("the stride", 1), reader.pair("the padding")
    shape, bias_shape = reader.alias("the filters"), reader.alias("the biases")
    _skip_learning_rates(reader, 4)
    has_bias = reader.boolean("use_bias") if kind != "con_4" else True
    has_relu = reader.boolean("use_relu") if kind == "con_6" else False
    if shape[0] != n_filters or shape[2:] != window_hw or (has_bias and math.prod(bias_shape) != n_filters):
        raise reader.fail(start, f"{n_filters} filters of {window_hw}", f"shapes {shape} and {bias_shape}")
    if not has_bias:
        (filters,) = reader.split(params, start, shape)
        return Convolution(filters, np.zeros(n_filters, np.float32), stride_yx, padding_yx, has_relu)
    filters, biases = reader.split(params, start, shape, (n_filters,))
    return Convolution(filters, biases, stride_yx, padding_yx, has_relu)


def _read_gamma_beta(reader: _Reader) -> list[np.ndarray]:
    start = reader.offset
    params = reader.tensor("gamma and beta")
    gamma, beta = reader.alias("gamma"), reader.alias("beta")
    return reader.split(params, start, (math.prod(gamma),), (math.prod(beta),))


def _read_affine(reader: _Reader, kind: str) -> Affine:
    start = reader.offset
    gamma, beta = _read_gamma_beta(reader)
    reader.integer("the mode of an affine layer", 0, 1)
    if kind == "affine_2" and reader.boolean("disabled"):
        raise reader.fail(start, "an enabled affine layer", "a disabled one")
    if gamma.shape != beta.shape:
        raise reader.fail(start, "gamma and beta of one length", f"{gamma.size} and {beta.size}")
    return Affine(gamma, beta)


def _read_batch_normalisation(reader: _Reader, kind: str) -> BatchNormalisation:
    start = reader.offset
    gamma, beta = _read_gamma_beta(reader)
    _, _, mean, variance = (reader.tensor(f"{what} of {kind}").reshape(-1) for what in _NORMALISATION_TENSORS)
    reader.integer("the number of updates")
    reader.integer("the running statistics' window")
    _skip_learning_rates(reader, 4)
    epsilon = reader.finite("epsilon")
    sizes = {array.size for array in (gamma, beta, mean, variance)}
    if len(sizes) != 1 or not (variance + epsilon > 0).all():
        raise reader.fail(start, "statistics of one length with positive variance", f"lengths {sorted(sizes)}")
    return BatchNormalisation(gamma, beta, mean, variance, epsilon)


_NORMALISATION_TENSORS = ("the means", "the inverse deviations", "the running means", "the running variances")


def _read_relu(reader: _Reader, kind: str) -> Relu:
    start = reader.offset
    if kind == "relu_2" and reader.boolean("disabled"):
        raise reader.fail(start, "an enabled relu", "a disabled one")
    return Relu()


def _read_pool(reader: _Reader, kind: str) -> Pool:
    window_hw = reader.pair("the pooling window")
    return Pool(kind[:3], window_hw, reader.pair("the stride", 1), reader.pair("the padding"))


def _read_fully_connected(reader: _Reader, kind: str) -> FullyConnected:
    n_outputs = reader.integer("the number of outputs", 1)
    n_inputs = reader.integer("the number of inputs", 1)
    start = reader.offset
    params = reader.tensor("fully connected parameters")
    reader.alias("the weights")
    reader.alias("the biases")
    has_bias = reader.integer("the bias mode (0 with, 1 without)", 0, 1) == 0
    _skip_learning_rates(reader, 4)
    if kind == "fc_3":
        reader.boolean("use_bias")
    if not has_bias:
        (weights,) = reader.split(params, start, (n_inputs, n_outputs))
        return FullyConnected(weights, None)
    weights, biases = reader.split(params, start, (n_inputs, n_outputs), (n_outputs,))
    return FullyConnected(weights, biases)


def _read_add_previous(reader: _Reader, kind: str) -> AddPrevious:
    return AddPrevious()


_LAYER_READERS: dict[str, Callable[[_Reader, str], Layer]] = {
    **dict.fromkeys(("con_4", "con_5", "con_6"), _read_convolution),
    **dict.fromkeys(("affine_", "affine_2"), _read_affine),
    "bn_con2": _read_batch_normalisation,
    **dict.fromkeys(("relu_", "relu_2"), _read_relu),
    **dict.fromkeys(("max_pool_2", "avg_pool_2"), _read_pool),
    **dict.fromkeys(("fc_2", "fc_3"), _read_fully_connected),
    "add_prev_": _read_add_previous,
}


def _read_overlap_test(reader: _Reader) -> OverlapTest:
    return OverlapTest(reader.finite("an overlap threshold"), reader.finite("a covered share"))


def _read_windows(reader: _Reader, version: int) -> tuple[tuple[int, int], ...]:
    if version == 1:
        return (reader.pair("the window's width and height", 1),)
    windows = []
    for _ in range(reader.integer("the number of windows", 1, MAX_LAYERS)):
        window_version = reader.integer("the window's version", 1, 2)
        windows.append(reader.pair("the window's width and height", 1))
        if window_version == 2:
            reader.name("the window's label")
    return tuple(windows)


def _read_mmod_loss(reader: _Reader) -> MmodLoss:
    version = reader.integer("the version of the mmod options", 1, 4)
    windows_wh = _read_windows(reader, version)
    for what in ("the loss of a false alarm", "the loss of a missed target", "the match threshold"):
        reader.real(what)
    overlaps_nms = _read_overlap_test(reader)
    _read_overlap_test(reader)  # boxes to ignore in training
    if version >= 3:
        reader.take(1, "assume_image_pyramid")
    uses_box_regression = False
    if version >= 4:
        uses_box_regression = reader.boolean("use_bounding_box_regression")
        reader.real("bbr_lambda")
    return MmodLoss(windows_wh, overlaps_nms, uses_box_regression)


def _read_loss(reader: _Reader) -> MetricLoss | MmodLoss:
    reader.integer("the version of the loss layer", 1, 1)
    start = reader.offset
    kind = reader.name("the name of the loss")
    if kind == "loss_metric_2":
        return MetricLoss(reader.finite("the margin"), reader.finite("the distance threshold"))
    if kind == "loss_mmod_":
        return _read_mmod_loss(reader)
    raise reader.fail(start, "loss_metric_2 or loss_mmod_", repr(kind))


def _read_input(reader: _Reader) -> InputLayer:
    start = reader.offset
    kind = reader.name("the name of the input layer")
    if kind not in _INPUT_KINDS:
        raise reader.fail(start, f"one of {_INPUT_KINDS}", repr(kind))
    average_rgb = tuple(reader.finite("the input's average") for _ in range(3))
    if kind == "input_rgb_image_sized":
        return InputLayer(kind, average_rgb, reader.pair("the input's size", 1))
    if kind == "input_rgb_image_pyramid2":
        return InputLayer(kind, average_rgb, None, *reader.pair("the pyramid's paddings", 0, MAX_PADDING_PX))
    if kind == "input_rgb_image_pyramid":
        return InputLayer(kind, average_rgb, None, *_DEFAULT_PYRAMID_PADDINGS)
    return InputLayer(kind, average_rgb)


_INPUT_KINDS = ("input_rgb_image", "input_rgb_image_sized", "input_rgb_image_pyramid", "input_rgb_image_pyramid2")
#: Between levels and around them, in pixels: what dlib assumes for files that do not say.
_DEFAULT_PYRAMID_PADDINGS = (10, 11)


def _read_versions(reader: _Reader) -> list[int]:
    """Version numbers of the layers, innermost first; stops before the name of the input layer."""
    versions: list[int] = []
    while True:
        start = reader.offset
        value = reader.integer("a layer's version or the length of the input layer's name", 1, MAX_NAME_BYTES)
        if value > _LAST_LAYER_VERSION:
            reader.offset = start
            return versions[::-1]
        versions.append(value)
        if len(versions) > MAX_LAYERS:
            raise reader.fail(start, f"the end of at most {MAX_LAYERS} layers", "another layer")


def _read_layer(reader: _Reader, version: int, is_innermost: bool) -> Layer:
    start = reader.offset
    kind = reader.name("the name of a layer")
    if kind not in _LAYER_READERS:
        raise reader.fail(start, f"one of the layers {sorted(_LAYER_READERS)}", repr(kind))
    layer = _LAYER_READERS[kind](reader, kind)
    for flag in ("this_layer_setup_called", "gradient_input_is_stale", "get_output_and_gradient_input_disabled"):
        reader.boolean(flag)
    for what in ("x_grad", "cached_output", "grad_final" if is_innermost else "params_grad"):
        reader.tensor(what)
    if is_innermost and version == _INNERMOST_LAYER:
        reader.integer("the sample expansion factor")
    return layer


def _read_layers(reader: _Reader, versions: list[int]) -> tuple[Layer, ...]:
    innermost, *others = versions if versions else [_TAG_OR_SKIP]
    if innermost == _TAG_OR_SKIP or _INNERMOST_LAYER in others:
        raise reader.fail(
            reader.offset, "the innermost layer, which alone holds the input", f"versions {versions[:4]}"
        )
    layers = [_read_layer(reader, innermost, is_innermost=True)]
    layers += [_read_layer(reader, version, is_innermost=False) for version in others if version == _LAYER]
    return tuple(layers)


def _read_bytes(path: Path) -> bytes:
    n_bytes = path.stat().st_size
    if n_bytes > MAX_FILE_BYTES:
        raise ValueError(f"{path} must have at most {MAX_FILE_BYTES} bytes; got {n_bytes}. It is no dlib network.")
    return path.read_bytes()


def read_dlib_network(path: str | Path) -> Network:
    """The network in a file that dlib's ``serialize`` wrote.

    Parameters
    ----------
    path : str or Path
        A ``.dat`` file, decompressed.

    Returns
    -------
    Network
        Arrays are read-only views of the bytes of the file.

    Raises
    ------
    ValueError
        If the file is truncated, damaged, has bytes left over, or holds a layer that is not known here. The message
        names the file, the offset and what was expected there.
    OSError
        If the file cannot be read.
    """
    path = Path(path)
    reader = _Reader(path, _read_bytes(path))
    loss = _read_loss(reader)
    versions = _read_versions(reader)
    network = Network(path, loss, _read_input(reader), _read_layers(reader, versions))
    if reader.offset != len(reader.data):
        raise reader.fail(reader.offset, "the end of the file", f"{len(reader.data) - reader.offset} bytes more")
    return network
