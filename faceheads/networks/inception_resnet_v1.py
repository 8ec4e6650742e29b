"""Inception-ResNet v1 as FaceNet uses it: 160 × 160 faces to embeddings of 512 numbers on the unit sphere.

The names of the tensors are those of facenet-pytorch's weight files. Named layers, each a vector for a face after
averaging over the plane:

============= ========= ==============  ====================================
name          numbers   rows × columns  what
============= ========= ==============  ====================================
``conv2d_4b`` 256       17 × 17         the stem
``repeat_1``  256       17 × 17         after 5 residual blocks
``mixed_6a``  896       8 × 8           first reduction
``repeat_2``  896       8 × 8           after 10 residual blocks
``mixed_7a``  1792      3 × 3           second reduction
``repeat_3``  1792      3 × 3           after 5 residual blocks
``prelogits`` 1792      3 × 3           after the last block, without ReLU
``final``     512       –               the embedding, L2 norm 1
============= ========= ==============  ====================================

References
----------
C. Szegedy, S. Ioffe, V. Vanhoucke, A. Alemi: Inception-v4, Inception-ResNet and the impact of residual connections on
learning. AAAI 2017. https://arxiv.org/abs/1602.07261 (figures 10 to 15)
F. Schroff, D. Kalenichenko, J. Philbin: FaceNet. CVPR 2015. https://arxiv.org/abs/1503.03832
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .asked import check_asked
from .state_file import load_strictly, read_state_dict

#: Rows and columns of the faces that the network was trained on, in pixels.
CROP_SIZE_PX = 160
#: A pixel value v enters as (v − PIXEL_MEAN) / PIXEL_SCALE.
PIXEL_MEAN = 127.5
PIXEL_SCALE = 128.0
#: Numbers of each named layer, in the order of computation.
LAYER_DIMENSIONS = {
    "conv2d_4b": 256,
    "repeat_1": 256,
    "mixed_6a": 896,
    "repeat_2": 896,
    "mixed_7a": 1792,
    "repeat_3": 1792,
    "prelogits": 1792,
    "final": 512,
}
#: What the residual blocks of a kind multiply their contribution by.
SCALE_35, SCALE_17, SCALE_8 = 0.17, 0.10, 0.20
#: Smallest side on which every stage has a pixel left, in pixels.
MIN_SIZE_PX = 75


def layer_dimension(name: str) -> int:
    """How many numbers a layer gives for each face.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    if name not in LAYER_DIMENSIONS:
        raise ValueError(f"A layer must be one of {', '.join(LAYER_DIMENSIONS)}; got {name!r}.")
    return LAYER_DIMENSIONS[name]


class ConvolutionUnit(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, n_inputs: int, n_outputs: int, window: int | tuple, stride: int = 1, padding: int | tuple = 0):
        super().__init__()
        self.conv = nn.Conv2d(n_inputs, n_outputs, window, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(n_outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Activations (n, outputs, rows, columns)."""
        return F.relu(self.bn(self.conv(x)))


class ResidualBlock(nn.Module):
    """Branches side by side, brought back to the input's channels, scaled and added to it."""

    def __init__(self, branches: Sequence[nn.Module], n_joined: int, n_channels: int, scale: float, has_relu: bool):
        super().__init__()
        for index, branch in enumerate(branches):
            self.add_module(f"branch{index}", branch)
        self.conv2d = nn.Conv2d(n_joined, n_channels, 1)
        self.n_branches = len(branches)
        self.scale = scale
        self.has_relu = has_relu

    def forward(self, x: Tensor) -> Tensor:
        """Activations of the shape of ``x``."""
        joined = torch.cat([self.get_submodule(f"branch{index}")(x) for index in range(self.n_branches)], 1)
        y = self.conv2d(joined) * self.scale + x
        return F.relu(y) if self.has_relu else y


class Reduction(nn.Module):
    """Branches side by side that halve the plane, and the maximum of every 3 × 3 pixels beside them."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        for index, branch in enumerate(branches):
            self.add_module(f"branch{index}", branch)
        self.n_branches = len(branches)

    def forward(self, x: Tensor) -> Tensor:
        """Activations (n, sum of the branches' outputs and the inputs, rows / 2, columns / 2)."""
        parts = [self.get_submodule(f"branch{index}")(x) for index in range(self.n_branches)]
        return torch.cat([*parts, F.max_pool2d(x, 3, 2)], 1)


class InceptionResnetV1(nn.Module):
    """The network with random weights; :func:`build_inception_resnet_v1` fills it from a file."""

    #: Every name that ``forward`` accepts.
    layer_names = tuple(LAYER_DIMENSIONS)

    def __init__(self) -> None:
        super().__init__()
        self.conv2d_1a = ConvolutionUnit(3, 32, 3, stride=2)
        self.conv2d_2a = ConvolutionUnit(32, 32, 3)
        self.conv2d_2b = ConvolutionUnit(32, 64, 3, padding=1)
        self.conv2d_3b = ConvolutionUnit(64, 80, 1)
        self.conv2d_4a = ConvolutionUnit(80, 192, 3)
        self.conv2d_4b = ConvolutionUnit(192, 256, 3, stride=2)
        self.repeat_1 = nn.Sequential(*(_block35() for _ in range(5)))
        self.mixed_6a = _reduction_6a()
        self.repeat_2 = nn.Sequential(*(_cross_block(896, 128, 7, SCALE_17) for _ in range(10)))
        self.mixed_7a = _reduction_7a()
        self.repeat_3 = nn.Sequential(*(_cross_block(1792, 192, 3, SCALE_8) for _ in range(5)))
        self.block8 = _cross_block(1792, 192, 3, 1.0, has_relu=False)
        self.last_linear = nn.Linear(1792, 512, bias=False)
        self.last_bn = nn.BatchNorm1d(512, eps=0.001)

    @staticmethod
    def layer_dimension(name: str) -> int:
        """How many numbers a layer gives for each face: :func:`layer_dimension`."""
        return layer_dimension(name)

    def forward(self, crops: Tensor, layers: Sequence[str] = ("final",)) -> Tensor:
        """The layers' vectors side by side.

        Parameters
        ----------
        crops : Tensor of shape (n_faces, 3, height, width), uint8 or float
            Faces, RGB in [0, 255]; 160 × 160 pixels is what the network was trained on.
        layers : sequence of str, default=("final",)
            What to return, in this order. Stages behind the last one needed are not computed.

        Returns
        -------
        Tensor of shape (n_faces, sum of layer_dimension), in the precision of the weights

        Raises
        ------
        ValueError
            If the crops have another shape or a layer is unknown.
        """
        check_asked(crops, layers, layer_dimension, MIN_SIZE_PX)
        x = (crops.to(self.last_linear.weight.dtype) - PIXEL_MEAN) / PIXEL_SCALE
        vectors = {}
        for name, stage in self._stages():
            x = stage(x)
            vectors[name] = x if name == "final" else x.mean((2, 3))
            if all(layer in vectors for layer in layers):
                break
        return torch.cat([vectors[layer] for layer in layers], 1)

    def _stages(self) -> Iterator[tuple[str, Callable[[Tensor], Tensor]]]:
        yield "conv2d_4b", self._stem
        yield "repeat_1", self.repeat_1
        yield "mixed_6a", self.mixed_6a
        yield "repeat_2", self.repeat_2
        yield "mixed_7a", self.mixed_7a
        yield "repeat_3", self.repeat_3
        yield "prelogits", self.block8
        yield "final", self._embedding

    def _stem(self, x: Tensor) -> Tensor:
        x = self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(x)))
        x = F.max_pool2d(x, 3, 2)
        return self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(x)))

    def _embedding(self, x: Tensor) -> Tensor:
        return F.normalize(self.last_bn(self.last_linear(x.mean((2, 3)))), dim=1)


def build_inception_resnet_v1(path: str | os.PathLike) -> InceptionResnetV1:
    """The network with the weights of a file, in evaluation mode.

    Parameters
    ----------
    path : str or path-like
        State dict in facenet-pytorch's names, such as ``find_weights("facenet_vggface2")``. A classifier in it
        (``logits.*``) is left out.

    Raises
    ------
    ValueError
        If the file does not hold the tensors of this network.
    """
    network = InceptionResnetV1()
    state = {name: tensor for name, tensor in read_state_dict(path).items() if not name.startswith("logits.")}
    load_strictly(network, state, path)
    return network.eval()


def _block35() -> ResidualBlock:
    branches = [
        ConvolutionUnit(256, 32, 1),
        nn.Sequential(ConvolutionUnit(256, 32, 1), ConvolutionUnit(32, 32, 3, padding=1)),
        nn.Sequential(
            ConvolutionUnit(256, 32, 1),
            ConvolutionUnit(32, 32, 3, padding=1),
            ConvolutionUnit(32, 32, 3, padding=1),
        ),
    ]
    return ResidualBlock(branches, 96, 256, SCALE_35, has_relu=True)


def _cross_block(n_channels: int, n_inner: int, window: int, scale: float, has_relu: bool = True) -> ResidualBlock:
    """A block whose second branch sees a square window as a row, then a column: figures 11 and 13 of the paper."""
    branches = [
        ConvolutionUnit(n_channels, n_inner, 1),
        nn.Sequential(
            ConvolutionUnit(n_channels, n_inner, 1),
            ConvolutionUnit(n_inner, n_inner, (1, window), padding=(0, window // 2)),
            ConvolutionUnit(n_inner, n_inner, (window, 1), padding=(window // 2, 0)),
        ),
    ]
    return ResidualBlock(branches, 2 * n_inner, n_channels, scale, has_relu)


def _reduction_6a() -> Reduction:
    return Reduction(
        ConvolutionUnit(256, 384, 3, stride=2),
        nn.Sequential(
            ConvolutionUnit(256, 192, 1),
            ConvolutionUnit(192, 192, 3, padding=1),
            ConvolutionUnit(192, 256, 3, stride=2),
        ),
    )


def _reduction_7a() -> Reduction:
    return Reduction(
        nn.Sequential(ConvolutionUnit(896, 256, 1), ConvolutionUnit(256, 384, 3, stride=2)),
        nn.Sequential(ConvolutionUnit(896, 256, 1), ConvolutionUnit(256, 256, 3, stride=2)),
        nn.Sequential(
            ConvolutionUnit(896, 256, 1),
            ConvolutionUnit(256, 256, 3, padding=1),
            ConvolutionUnit(256, 256, 3, stride=2),
        ),
    )
