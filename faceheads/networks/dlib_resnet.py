"""dlib's 128-d face embedding network as a torch module, from dlib's own weight file.

The network is the ``anet`` of dlib's example ``dnn_face_recognition_ex``: a stem, then 14 residual blocks in five
stages, a global mean and one matrix. Its wiring is not in the file, so it is written here and the file's layers are
checked against it one by one.

Its layers have names: see :mod:`.dlib_resnet_layers`.

References
----------
dlib 20.0.1, ``examples/dnn_face_recognition_ex.cpp`` (topology) and ``add_prev_`` in ``dnn/layers.h`` (zero padding).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .dlib_format import read_dlib_network
from .dlib_layers import LayerCursor, ScaledConvolution
from .dlib_network import AddPrevious, Pool, Relu
from .dlib_resnet_layers import (
    CHIP_SIZE_PX,
    EMBEDDING_DIMENSION,
    LAYER_NAMES,
    STAGES,
    LayerSource,
    layer_dimension,
    parse_layers,
)

#: dlib divides the input by this after subtracting the average colour.
INPUT_SCALE = 256.0
#: Average colour of the training chips, RGB; a file may say otherwise.
AVERAGE_RGB = (122.782, 117.001, 104.298)

_NETWORK_NAME = "dlib's face recognition network"


def _convolution(is_folded: bool, n_inputs: int, n_outputs: int, window: int, stride: int, padding: int) -> nn.Module:
    kind = nn.Conv2d if is_folded else ScaledConvolution
    return kind(n_inputs, n_outputs, window, stride, padding)


def _pad_to(x: Tensor, like: Tensor) -> Tensor:
    """``x`` with zeros at the bottom, the right and the last channels wherever ``like`` is larger."""
    missing = [max(there - here, 0) for here, there in zip(x.shape[1:], like.shape[1:])]
    if not any(missing):
        return x
    channels, rows, columns = missing
    return F.pad(x, (0, columns, 0, rows, 0, channels))


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions and a shortcut; a halving block takes every second pixel and averages its shortcut."""

    def __init__(self, n_inputs: int, n_outputs: int, is_halving: bool, is_folded: bool) -> None:
        super().__init__()
        stride, padding = (2, 0) if is_halving else (1, 1)
        self.conv1 = _convolution(is_folded, n_inputs, n_outputs, 3, stride, padding)
        self.conv2 = _convolution(is_folded, n_outputs, n_outputs, 3, 1, 1)
        self.is_halving = is_halving

    def forward(self, x: Tensor) -> Tensor:
        """Activations (n, outputs, rows, columns)."""
        y = self.conv2(F.relu_(self.conv1(x)))
        if self.is_halving:
            x = F.avg_pool2d(x, 2, 2)
            y, x = _pad_to(y, x), _pad_to(x, y)
        return F.relu_(y.add_(x))


class DlibResNet(nn.Module):
    """The network with any weights; :func:`build_dlib_resnet` fills it from dlib's file.

    Parameters
    ----------
    is_folded : bool, default=True
        Whether dlib's affine layers and the input normalisation are part of the convolutions, which is faster. The
        other form has the parameters as they are in dlib's file, in a range that gradient descent likes better;
        :meth:`folded` turns it into the first.
    """

    #: Every name that ``forward`` accepts, without suffixes.
    layer_names = LAYER_NAMES

    def __init__(self, is_folded: bool = True) -> None:
        super().__init__()
        self.is_folded = is_folded
        self.register_buffer("average_rgb", torch.tensor(AVERAGE_RGB))
        self.stem = _convolution(is_folded, 3, STAGES[0][0], 7, 2, 0)
        self.blocks = nn.ModuleList(_make_blocks(is_folded))
        self.fc = nn.Linear(STAGES[-1][0], EMBEDDING_DIMENSION, bias=False)

    @staticmethod
    def layer_dimension(name: str) -> int:
        """How many numbers a layer gives for each chip: :func:`layer_dimension`."""
        return layer_dimension(name)

    def forward(self, chips: Tensor, layers: Sequence[str] = ("final",)) -> Tensor:
        """The layers' vectors side by side.

        Parameters
        ----------
        chips : Tensor of shape (n_chips, 3, 150, 150), uint8 or float
            Aligned faces, RGB in [0, 255]. Memory in channels-last order, as ``torch.from_numpy(images).permute(0, 3,
            1, 2)`` gives it, is not copied more than needed.
        layers : sequence of str, default=("final",)
            What to return, in this order. Blocks behind the last one needed are not computed.

        Returns
        -------
        Tensor of shape (n_chips, sum of layer_dimension), in the precision of the weights

        Raises
        ------
        ValueError
            If the chips have another shape or a layer is unknown.
        """
        sources = parse_layers(layers)
        if chips.ndim != 4 or chips.shape[1:] != (3, CHIP_SIZE_PX, CHIP_SIZE_PX):
            raise ValueError(f"chips must have shape (n_chips, 3, 150, 150); got {tuple(chips.shape)}.")
        last = max(len(self.blocks) if source.position is None else source.position for source in sources)
        vectors: dict[LayerSource, Tensor] = {}
        for position, x in enumerate(self._activations(chips, last)):
            vectors.update((source, _pool(x, source.grid_hw)) for source in sources if source.position == position)
            if position == len(self.blocks):
                vectors[LayerSource(None)] = self.fc(_pool(x, (1, 1)))
        return torch.cat([vectors[source] for source in sources], dim=1)

    def _activations(self, chips: Tensor, last: int) -> Iterator[Tensor]:
        """Activations of the stem and of the blocks up to number ``last``."""
        x = chips.to(dtype=self.fc.weight.dtype, memory_format=torch.channels_last)
        if not self.is_folded:
            x = (x - self.average_rgb[:, None, None]) / INPUT_SCALE
        x = F.max_pool2d(F.relu_(self.stem(x)), 3, 2)
        yield x
        for block in self.blocks[:last]:
            x = block(x)
            yield x

    def convolutions(self) -> list[nn.Module]:
        """The stem and the two convolutions of every block, in forward order."""
        return [self.stem, *(conv for block in self.blocks for conv in (block.conv1, block.conv2))]

    @torch.no_grad()
    def folded(self) -> DlibResNet:
        """A copy that computes the same in fewer steps: affine layers and normalisation inside the convolutions."""
        if self.is_folded:
            return copy.deepcopy(self)
        twin = DlibResNet(is_folded=True).to(device=self.fc.weight.device, dtype=self.fc.weight.dtype)
        for here, there in zip(self.convolutions(), twin.convolutions()):
            weight, bias = here.folded_parameters()
            if here is self.stem:
                weight, bias = self._accept_raw_colours(weight, bias)
            there.weight.copy_(weight)
            there.bias.copy_(bias)
        twin.fc.weight.copy_(self.fc.weight)
        twin.average_rgb.copy_(self.average_rgb)
        return twin.to(memory_format=torch.channels_last).train(self.training)

    @torch.no_grad()
    def unfolded(self) -> DlibResNet:
        """A copy that computes the same in the form that is trained; affine layers begin as factors of 1 and offsets of 0."""
        if not self.is_folded:
            return copy.deepcopy(self)
        twin = DlibResNet(is_folded=False).to(device=self.fc.weight.device, dtype=self.fc.weight.dtype)
        for here, there in zip(self.convolutions(), twin.convolutions()):
            there.conv.weight.copy_(here.weight)
            there.conv.bias.copy_(here.bias)
        offset = (self.stem.weight.double() * self.average_rgb.double()[:, None, None]).sum((1, 2, 3))
        twin.stem.conv.weight.mul_(INPUT_SCALE)
        twin.stem.conv.bias.copy_(self.stem.bias.double() + offset)
        twin.fc.weight.copy_(self.fc.weight)
        twin.average_rgb.copy_(self.average_rgb)
        return twin.to(memory_format=torch.channels_last).train(self.training)

    def _accept_raw_colours(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """The stem's parameters with the input normalisation inside, which is exact because it has no padding."""
        weight = weight / INPUT_SCALE
        return weight, bias - (weight * self.average_rgb.double()[:, None, None]).sum((1, 2, 3))


def _make_blocks(is_folded: bool) -> Iterator[ResidualBlock]:
    n_inputs = STAGES[0][0]
    for stage, (channels, _, n_blocks) in enumerate(STAGES):
        for block in range(n_blocks):
            yield ResidualBlock(n_inputs, channels, stage > 0 and block == 0, is_folded)
            n_inputs = channels


def _pool(x: Tensor, grid_hw: tuple[int, int]) -> Tensor:
    """Means over the cells of a grid, shape (n, channels · rows · columns)."""
    if grid_hw == (1, 1):
        return x.mean((2, 3))
    return F.adaptive_avg_pool2d(x, grid_hw).flatten(1)


def _fill(module: DlibResNet, layers: LayerCursor) -> None:
    """Takes every parameter of an unfolded module from the layers of a file."""
    module.stem.fill(layers)
    layers.expect(Relu())
    layers.expect(Pool("max", (3, 3), (2, 2), (0, 0)))
    for block in module.blocks:
        block.conv1.fill(layers)
        layers.expect(Relu())
        block.conv2.fill(layers)
        if block.is_halving:
            layers.expect(Pool("avg", (2, 2), (2, 2), (0, 0)))
        layers.expect(AddPrevious())
        layers.expect(Relu())
    layers.expect(Pool("avg", (0, 0), (1, 1), (0, 0)))
    layers.fill_linear(module.fc)
    layers.expect(None)


def build_dlib_resnet(path: str | Path, is_folded: bool = True) -> DlibResNet:
    """dlib's face embedding network with the weights of its file.

    Parameters
    ----------
    path : str or Path
        ``dlib_face_recognition_resnet_model_v1.dat``.
    is_folded : bool, default=True
        See :class:`DlibResNet`.

    Returns
    -------
    DlibResNet
        In evaluation mode (the network has no layer that differs in training), weights in channels-last order.

    Raises
    ------
    ValueError
        If the file is damaged or holds another network.
    """
    network = read_dlib_network(path)
    if network.input.size_hw != (CHIP_SIZE_PX, CHIP_SIZE_PX):
        raise ValueError(
            f"{network.path}: the input must be an image of {CHIP_SIZE_PX} x {CHIP_SIZE_PX}; got {network.input}. "
            f"The file does not hold {_NETWORK_NAME}."
        )
    module = DlibResNet(is_folded=False)
    module.average_rgb.copy_(torch.tensor(network.input.average_rgb))
    _fill(module, LayerCursor(network, _NETWORK_NAME))
    return (module.folded() if is_folded else module.to(memory_format=torch.channels_last)).eval()
