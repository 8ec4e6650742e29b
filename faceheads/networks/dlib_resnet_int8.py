"""dlib's embedding network in whole numbers of 8 bits, run by onnxruntime: faster, and not quite the same embedding.

Every activation is a number from 0 to 255 that stands for a value in a range which was measured once on photos
(:mod:`.dlib_resnet_statistics`); every filter has whole numbers from −63 to 63 and one scale. Half of what 8 bits allow,
because processors without dot products of bytes (AVX-512 VNNI, AVX-VNNI) add pairs of products in 16 bits: two products
of 255 and 63 always fit there, two of 255 and 127 would be cut off. So the embedding is the same on every processor.

The graph says where numbers are rounded ("quantise, dequantise"); onnxruntime makes integer kernels of it. Needs the
packages onnx and onnxruntime.

References
----------
B. Jacob et al.: Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference. CVPR 2018.
M. Nagel et al.: Data-Free Quantization Through Weight Equalization and Bias Correction. ICCV 2019, section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch import nn

from .dlib_resnet import DlibResNet, ResidualBlock
from .dlib_resnet_layers import CHIP_SIZE_PX, STAGES, LayerSource, parse_layers
from .dlib_resnet_statistics import ActivationStatistics

if TYPE_CHECKING:
    import onnx

#: Largest magnitude of a quantised weight, see above; and of an activation.
WEIGHT_LIMIT = 63
ACTIVATION_LIMIT = 255
#: Version of ONNX's operators, and of its files, that the graph is written in: of 2022, which any runtime knows.
OPSET, IR_VERSION = 17, 8


class Int8DlibResNet:
    """A :class:`~faceheads.networks.dlib_resnet.DlibResNet` in 8 bits for a CPU; any number of threads may call it.

    Parameters
    ----------
    module : DlibResNet
        Folded or not.
    layers : sequence of str
        What to return, as in ``DlibResNet.forward``.
    statistics : ActivationStatistics
    n_threads : int
        Threads of one call.

    Raises
    ------
    ImportError
        If onnx or onnxruntime is not installed.
    ValueError
        If a layer is unknown or has a grid (``@ROWSxCOLUMNS``).
    """

    def __init__(
        self, module: DlibResNet, layers: Sequence[str], statistics: ActivationStatistics, n_threads: int = 1
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = n_threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a thread that waits must sleep
        model = _Writer(statistics).model(module.folded(), parse_layers(layers))
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, chips: np.ndarray) -> np.ndarray:
        """The layers' vectors side by side, shape (n_chips, sum of layer_dimension), float32.

        Parameters
        ----------
        chips : ndarray of shape (n_chips, 150, 150, 3), uint8, RGB
        """
        [vectors] = self._session.run(None, {"chips": np.ascontiguousarray(chips)})
        return vectors


class _Activation(NamedTuple):
    """A value of the graph: its name, what one of its 255 steps stands for, the step that stands for 0, its rows."""

    name: str
    scale: float
    zero: int
    rows: int


class _Writer:
    """Writes the graph down, node by node."""

    def __init__(self, statistics: ActivationStatistics) -> None:
        import onnx

        self._onnx = onnx
        self._statistics = statistics
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def model(self, module: DlibResNet, sources: Sequence[LayerSource]) -> onnx.ModelProto:
        """Chips (n, 150, 150, 3), uint8, to the vectors of the sources side by side."""
        vectors = [self._vector(module, plane, source) for plane, source in self._planes(module, sources)]
        self._node("Concat", vectors, "vectors", axis=1)
        helper, numbers = self._onnx.helper, self._onnx.TensorProto
        inputs = [helper.make_tensor_value_info("chips", numbers.UINT8, ["n", CHIP_SIZE_PX, CHIP_SIZE_PX, 3])]
        outputs = [helper.make_tensor_value_info("vectors", numbers.FLOAT, ["n", None])]
        graph = helper.make_graph(self._nodes, "dlib_resnet_int8", inputs, outputs, self._constants)
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)

    def _planes(self, module: DlibResNet, sources: Sequence[LayerSource]) -> list[tuple[_Activation, LayerSource]]:
        """The activations that the sources are pooled from."""
        planes = [self._stem(module.stem)]
        n_blocks = max(len(module.blocks) if source.position is None else source.position for source in sources)
        for number, block in enumerate(module.blocks[:n_blocks], start=1):
            planes.append(self._block(block, planes[-1], f"block{number:02d}"))
        return [(planes[-1 if source.position is None else source.position], source) for source in sources]

    def _stem(self, stem: nn.Conv2d) -> _Activation:
        pixels = self._dequantised(self._node("Transpose", ["chips"], perm=[0, 3, 1, 2]), 1.0, 0, CHIP_SIZE_PX)
        x = self._rounded(self._node("Relu", [self._convolution(stem, pixels, "pixels")]), "stem", STAGES[0][1])
        return self._pooled("MaxPool", x, STAGES[0][1], kernel_shape=[3, 3], strides=[2, 2])

    def _block(self, block: ResidualBlock, x: _Activation, name: str) -> _Activation:
        rows = (x.rows - 3) // 2 + 1 if block.is_halving else x.rows
        y = self._rounded(
            self._node("Relu", [self._convolution(block.conv1, x, f"{name}.input")]), f"{name}.conv1", rows
        )
        y = self._rounded(self._convolution(block.conv2, y, f"{name}.conv1"), f"{name}.conv2", rows)
        if block.is_halving:
            x = self._pooled("AveragePool", x, x.rows // 2, kernel_shape=[2, 2], strides=[2, 2])
            rows = max(x.rows, y.rows)
            x = self._padded(x, block.conv2.out_channels - block.conv1.in_channels, rows)
            y = self._padded(y, 0, rows)
        return self._rounded(self._node("Relu", [self._node("Add", [y.name, x.name])]), name, rows)

    def _padded(self, x: _Activation, n_channels: int, rows: int) -> _Activation:
        """``x`` with so many more channels, and zeros at the bottom and at the right up to so many rows."""
        if n_channels == 0 and rows == x.rows:
            return x
        pads = self._constant(np.array([0, 0, 0, 0, 0, n_channels, rows - x.rows, rows - x.rows], np.int64))
        return self._requantised(self._node("Pad", [x.name, pads]), x.scale, x.zero, rows)

    def _pooled(self, operator: str, x: _Activation, rows: int, **attributes) -> _Activation:
        return self._requantised(self._node(operator, [x.name], **attributes), x.scale, x.zero, rows)

    def _convolution(self, conv: nn.Conv2d, x: _Activation, name: str) -> str:
        """The convolution in whole numbers; what rounding the filters adds on average is taken from the biases."""
        filters, biases = (values.detach().cpu().double().numpy() for values in (conv.weight, conv.bias))
        scales = np.maximum(np.abs(filters).max(axis=(1, 2, 3)), np.finfo(np.float32).tiny) / WEIGHT_LIMIT
        whole = np.rint(filters / scales[:, None, None, None]).astype(np.int8)
        added = (whole * scales[:, None, None, None] - filters).sum(axis=(2, 3)) @ self._statistics.means[name]
        biases = biases - added
        whole_biases = np.rint(biases / (x.scale * scales)).astype(np.int32)
        constants = [self._dequantised_constant(whole, scales)]
        constants.append(self._dequantised_constant(whole_biases, x.scale * scales))
        return self._node("Conv", [x.name, *constants], strides=list(conv.stride), pads=[*conv.padding] * 2)

    def _vector(self, module: DlibResNet, plane: _Activation, source: LayerSource) -> str:
        if source.position is None:
            matrix = self._constant(np.ascontiguousarray(module.fc.weight.detach().cpu().numpy().T))
            return self._node("MatMul", [self._mean(plane), matrix])
        if source.grid_hw != (1, 1):
            raise ValueError(f"a layer in 8 bits is the mean of its whole plane; got a grid of {source.grid_hw}.")
        return self._mean(plane)

    def _mean(self, plane: _Activation) -> str:
        return self._node("ReduceMean", [plane.name], axes=[2, 3], keepdims=0)

    # ------------------------------------------------------------------------------------ rounding to 8 bits

    def _rounded(self, x: str, name: str, rows: int) -> _Activation:
        """``x`` in whole numbers of the range that is known for it."""
        low, high = self._statistics.ranges[name]
        scale = (high - low) / ACTIVATION_LIMIT
        return self._requantised(x, scale, round(-low / scale), rows)

    def _requantised(self, x: str, scale: float, zero: int, rows: int) -> _Activation:
        return self._dequantised(self._node("QuantizeLinear", [x, *self._step(scale, zero)]), scale, zero, rows)

    def _dequantised(self, x: str, scale: float, zero: int, rows: int) -> _Activation:
        return _Activation(self._node("DequantizeLinear", [x, *self._step(scale, zero)]), scale, zero, rows)

    def _step(self, scale: float, zero: int) -> list[str]:
        return [self._constant(np.float32(scale)), self._constant(np.uint8(zero))]

    def _dequantised_constant(self, whole: np.ndarray, scales: np.ndarray) -> str:
        parameters = [self._constant(scales.astype(np.float32)), self._constant(np.zeros(len(scales), whole.dtype))]
        return self._node("DequantizeLinear", [self._constant(whole), *parameters], axis=0)

    def _constant(self, values: np.ndarray) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(values), name))
        return name

    def _node(self, operator: str, inputs: Sequence[str], output: str = "", **attributes) -> str:
        name = output if output else f"node{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name
