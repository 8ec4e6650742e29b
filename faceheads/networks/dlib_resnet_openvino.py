"""dlib's embedding network compiled by OpenVINO: what :mod:`.dlib_resnet` computes in torch, faster on CPUs.

The sums are made in another order, so the numbers differ from torch's and dlib's in their last digits. Needs the
package openvino, which the extra ``fast`` brings; nothing else in the project does. The graph is written down instead
of traced: tracing takes seconds, warns, and asks for packages that report to OpenVINO's makers.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from .dlib_resnet import DlibResNet, ResidualBlock
from .dlib_resnet_layers import CHIP_SIZE_PX, LayerSource, parse_layers

if TYPE_CHECKING:
    import openvino
    from openvino import Node, Output

#: OpenVINO would otherwise compute in bfloat16 or float16 where the processor can.
PRECISION = "f32"


class OpenVinoDlibResNet:
    """A :class:`~faceheads.networks.dlib_resnet.DlibResNet` for a CPU; any number of threads may call it at once.

    The first call compiles it.

    Parameters
    ----------
    module : DlibResNet
        Folded or not.
    layers : sequence of str
        What to return, as in ``DlibResNet.forward``.
    n_threads : int
        Threads of one call.

    Raises
    ------
    ValueError
        If a layer is unknown.
    ImportError
        If openvino is not installed.
    """

    def __init__(self, module: DlibResNet, layers: Sequence[str] = ("final",), n_threads: int = 1) -> None:
        import openvino  # an extra

        self._core = openvino.Core()
        self._module = module
        self._sources = parse_layers(layers)
        self._n_threads = n_threads

    @functools.cached_property
    def _compiled(self) -> openvino.CompiledModel:
        settings = {"INFERENCE_PRECISION_HINT": PRECISION, "INFERENCE_NUM_THREADS": self._n_threads, "NUM_STREAMS": 1}
        return self._core.compile_model(_graph(self._module.folded(), self._sources), "CPU", settings)

    def __call__(self, chips: np.ndarray) -> np.ndarray:
        """The layers' vectors side by side.

        Parameters
        ----------
        chips : ndarray of shape (n_chips, 150, 150, 3), uint8, RGB
            Need not be contiguous.

        Returns
        -------
        ndarray of shape (n_chips, sum of layer_dimension), float32

        Raises
        ------
        ValueError
            If the chips have another shape or type.
        """
        if chips.dtype != np.uint8 or chips.ndim != 4 or chips.shape[1:] != (CHIP_SIZE_PX, CHIP_SIZE_PX, 3):
            raise ValueError(
                f"chips must be a uint8 array of shape (n_chips, 150, 150, 3); got {chips.dtype} of shape {chips.shape}."
            )
        return self._compiled.infer_new_request([np.ascontiguousarray(chips)])[0]


def _graph(module: DlibResNet, sources: Sequence[LayerSource]) -> openvino.Model:
    from openvino import Model, opset13

    chips = opset13.parameter([-1, CHIP_SIZE_PX, CHIP_SIZE_PX, 3], np.uint8)
    return Model([_Operations(opset13).vectors(module, sources, chips)], [chips])


class _Operations:
    """The network's parts in OpenVINO's operations, ``ops``, which exist only where the package does."""

    def __init__(self, ops) -> None:
        self._ops = ops

    def vectors(self, module: DlibResNet, sources: Sequence[LayerSource], chips: Node) -> Node:
        """The vectors of the sources side by side."""
        planes = [self._stem(module.stem, chips)]
        for block in module.blocks:
            planes.append(self._residual_block(block, planes[-1]))
        return self._ops.concat([self._vector(module, planes, source) for source in sources], axis=1)

    def _stem(self, stem: nn.Conv2d, chips: Node) -> Output:
        x = self._ops.transpose(self._ops.convert(chips, "f32"), self._axes(0, 3, 1, 2))
        x = self._ops.relu(self._convolution(stem, x))
        return self._ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [3, 3]).output(
            0
        )  # output 1: where the maxima are

    def _residual_block(self, block: ResidualBlock, x: Node | Output) -> Node:
        y = self._convolution(block.conv2, self._ops.relu(self._convolution(block.conv1, x)))
        if block.is_halving:
            x = self._ops.avg_pool(x, [2, 2], [0, 0], [0, 0], [2, 2], exclude_pad=True)
            y, x = self._pad_to(y, x), self._pad_to(x, y)
        return self._ops.relu(self._ops.add(y, x))

    def _convolution(self, conv: nn.Conv2d, x: Node | Output) -> Node:
        filters, biases = (values.detach().cpu().numpy() for values in (conv.weight, conv.bias))
        y = self._ops.convolution(x, filters, conv.stride, conv.padding, conv.padding, [1, 1])
        return self._ops.add(y, biases[:, np.newaxis, np.newaxis])

    def _pad_to(self, x: Node, like: Node) -> Node:
        """``x`` with zeros at the bottom, the right and the last channels wherever ``like`` is larger."""
        missing = [max(there - here, 0) for here, there in zip(_plane_shape(x), _plane_shape(like))]
        return self._ops.pad(x, self._axes(0, 0, 0, 0), self._axes(0, *missing), "constant", np.float32(0))

    def _vector(self, module: DlibResNet, planes: Sequence[Node | Output], source: LayerSource) -> Node:
        if source.position is None:
            return self._ops.matmul(self._mean(planes[-1]), module.fc.weight.detach().cpu().numpy(), False, True)
        if source.grid_hw == (1, 1):
            return self._mean(planes[source.position])
        cells = self._ops.adaptive_avg_pool(planes[source.position], self._axes(*source.grid_hw))
        return self._ops.reshape(cells, self._axes(0, -1), special_zero=True)

    def _mean(self, plane: Node | Output) -> Node:
        return self._ops.reduce_mean(plane, self._axes(2, 3), keep_dims=False)

    def _axes(self, *numbers: int) -> Node:
        return self._ops.constant(np.array(numbers, np.int64))


def _plane_shape(x: Node | Output) -> list[int]:
    """Channels, rows, columns."""
    return [size.get_length() for size in list(x.output(0).get_partial_shape())[1:]]
