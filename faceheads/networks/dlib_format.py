"""Reads the network files (``.dat``) that dlib serializes, without dlib and without trusting them.

A file is a loss record, then the version numbers of the layers from the outermost to the innermost, the input layer,
and then the layers' own records innermost first, which is the order of the forward pass. Tags and skips leave no
record: how the layers are wired is known to whoever wrote the network's definition, not to the file.

Nothing here executes anything from the file, and a file that does not end where its last layer ends is refused.

References
----------
dlib's ``dnn/core.h`` and ``dnn/layers.h``, version 20.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .dlib_network import (
    AddPrevious,
    Affine,
    BatchNormalisation,
    Convolution,
    FullyConnected,
    InputLayer,
    Layer,
    MetricLoss,
    MmodLoss,
    Network,
    OverlapTest,
    Pool,
    Relu,
)
from .dlib_reader import MAX_NAME_BYTES, DlibReader

#: Larger files are refused unread; the largest network that dlib's author publishes has 129 MB.
MAX_FILE_BYTES = 1 << 30
#: More layers than any published dlib network has by a factor of ten.
MAX_LAYERS = 10_000
#: Widest gap in a tiled pyramid that is accepted; dlib's own are 10 and 11.
MAX_PADDING_PX = 1024
#: Version numbers of layers are at most this; a larger integer is the length of the input layer's name.
_LAST_LAYER_VERSION = 3
_TAG_OR_SKIP, _LAYER, _INNERMOST_LAYER = 1, 2, 3
_ADVICE = "The file is damaged or not a dlib network: fetch it again."


def _skip_learning_rates(reader: DlibReader, count: int) -> None:
    for _ in range(count):
        reader.real("a learning rate or weight decay multiplier")


def _read_convolution(reader: DlibReader, kind: str) -> Convolution:
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


def _read_gamma_beta(reader: DlibReader) -> list[np.ndarray]:
    start = reader.offset
    params = reader.tensor("gamma and beta")
    gamma, beta = reader.alias("gamma"), reader.alias("beta")
    return reader.split(params, start, (math.prod(gamma),), (math.prod(beta),))


def _read_affine(reader: DlibReader, kind: str) -> Affine:
    start = reader.offset
    gamma, beta = _read_gamma_beta(reader)
    reader.integer("the mode of an affine layer", 0, 1)
    if kind == "affine_2" and reader.boolean("disabled"):
        raise reader.fail(start, "an enabled affine layer", "a disabled one")
    if gamma.shape != beta.shape:
        raise reader.fail(start, "gamma and beta of one length", f"{gamma.size} and {beta.size}")
    return Affine(gamma, beta)


def _read_batch_normalisation(reader: DlibReader, kind: str) -> BatchNormalisation:
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


def _read_relu(reader: DlibReader, kind: str) -> Relu:
    start = reader.offset
    if kind == "relu_2" and reader.boolean("disabled"):
        raise reader.fail(start, "an enabled relu", "a disabled one")
    return Relu()


def _read_pool(reader: DlibReader, kind: str) -> Pool:
    window_hw = reader.pair("the pooling window")
    return Pool(kind[:3], window_hw, reader.pair("the stride", 1), reader.pair("the padding"))


def _read_fully_connected(reader: DlibReader, kind: str) -> FullyConnected:
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


def _read_add_previous(reader: DlibReader, kind: str) -> AddPrevious:
    return AddPrevious()


_LAYER_READERS: dict[str, Callable[[DlibReader, str], Layer]] = {
    **dict.fromkeys(("con_4", "con_5", "con_6"), _read_convolution),
    **dict.fromkeys(("affine_", "affine_2"), _read_affine),
    "bn_con2": _read_batch_normalisation,
    **dict.fromkeys(("relu_", "relu_2"), _read_relu),
    **dict.fromkeys(("max_pool_2", "avg_pool_2"), _read_pool),
    **dict.fromkeys(("fc_2", "fc_3"), _read_fully_connected),
    "add_prev_": _read_add_previous,
}


def _read_overlap_test(reader: DlibReader) -> OverlapTest:
    return OverlapTest(reader.finite("an overlap threshold"), reader.finite("a covered share"))


def _read_windows(reader: DlibReader, version: int) -> tuple[tuple[int, int], ...]:
    if version == 1:
        return (reader.pair("the window's width and height", 1),)
    windows = []
    for _ in range(reader.integer("the number of windows", 1, MAX_LAYERS)):
        window_version = reader.integer("the window's version", 1, 2)
        windows.append(reader.pair("the window's width and height", 1))
        if window_version == 2:
            reader.name("the window's label")
    return tuple(windows)


def _read_mmod_loss(reader: DlibReader) -> MmodLoss:
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


def _read_loss(reader: DlibReader) -> MetricLoss | MmodLoss:
    reader.integer("the version of the loss layer", 1, 1)
    start = reader.offset
    kind = reader.name("the name of the loss")
    if kind == "loss_metric_2":
        return MetricLoss(reader.finite("the margin"), reader.finite("the distance threshold"))
    if kind == "loss_mmod_":
        return _read_mmod_loss(reader)
    raise reader.fail(start, "loss_metric_2 or loss_mmod_", repr(kind))


def _read_input(reader: DlibReader) -> InputLayer:
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


def _read_versions(reader: DlibReader) -> list[int]:
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


def _read_layer(reader: DlibReader, version: int, is_innermost: bool) -> Layer:
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


def _read_layers(reader: DlibReader, versions: list[int]) -> tuple[Layer, ...]:
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
    reader = DlibReader(path, _read_bytes(path), _ADVICE)
    loss = _read_loss(reader)
    versions = _read_versions(reader)
    network = Network(path, loss, _read_input(reader), _read_layers(reader, versions))
    if reader.offset != len(reader.data):
        raise reader.fail(reader.offset, "the end of the file", f"{len(reader.data) - reader.offset} bytes more")
    return network
