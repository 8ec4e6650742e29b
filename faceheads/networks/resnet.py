"""ResNet-18 as a face embedder: the last stage's planes averaged to 512 numbers.

The names of the tensors are torchvision's, so that a state dict of its ``resnet18`` fits; the classifier ``fc`` is left out.
Crops of any size from 32 pixels a side enter as they are, RGB from 0 to 255: the normalisation is part of the network.

References
----------
K. He, X. Zhang, S. Ren, J. Sun, Deep residual learning for image recognition, CVPR 2016, table 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .asked import check_asked

#: Numbers of an embedding.
EMBEDDING_DIMENSION = 512
#: Smallest side of a crop on which the last stage has a pixel, in pixels.
MIN_SIZE_PX = 32
#: Mean and standard deviation of ImageNet's colours, RGB from 0 to 1, as torchvision's weights expect them.
MEAN_RGB, DEVIATION_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: Channels and blocks of each stage; every stage but the first halves the plane.
STAGES = ((64, 2), (128, 2), (256, 2), (512, 2))


def layer_dimension(name: str) -> int:
    """How many numbers a layer gives for each face.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    if name != "final":
        raise ValueError(f"The layer of resnet18 must be 'final'; got {name!r}.")
    return EMBEDDING_DIMENSION


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions and a shortcut, which is a 1 × 1 convolution where the shape changes."""

    def __init__(self, n_inputs: int, n_outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_inputs, n_outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_outputs)
        self.conv2 = nn.Conv2d(n_outputs, n_outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_outputs)
        self.downsample = None
        if stride > 1 or n_inputs != n_outputs:
            convolution = nn.Conv2d(n_inputs, n_outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(convolution, nn.BatchNorm2d(n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Activations (n, outputs, rows, columns)."""
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    """The network with random weights."""

    #: Every name that ``forward`` accepts.
    layer_names = ("final",)

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean_rgb", 255 * torch.tensor(MEAN_RGB), persistent=False)
        self.register_buffer("deviation_rgb", 255 * torch.tensor(DEVIATION_RGB), persistent=False)
        self.conv1 = nn.Conv2d(3, STAGES[0][0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(STAGES[0][0])
        for number, stage in enumerate(_make_stages(), start=1):
            self.add_module(f"layer{number}", stage)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    @staticmethod
    def layer_dimension(name: str) -> int:
        """How many numbers a layer gives for each face: :func:`layer_dimension`."""
        return layer_dimension(name)

    def forward(self, crops: Tensor, layers: Sequence[str] = ("final",)) -> Tensor:
        """Embeddings.

        Parameters
        ----------
        crops : Tensor of shape (n_faces, 3, height, width), uint8 or float
            RGB in [0, 255].
        layers : sequence of str, default=("final",)

        Returns
        -------
        Tensor of shape (n_faces, 512), in the precision of the weights

        Raises
        ------
        ValueError
            If the crops have another shape or a layer is unknown.
        """
        check_asked(crops, layers, layer_dimension, MIN_SIZE_PX)
        x = crops.to(dtype=self.conv1.weight.dtype, memory_format=torch.channels_last)
        x = (x - self.mean_rgb[:, None, None]) / self.deviation_rgb[:, None, None]
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3))
        return torch.cat([x] * len(layers), 1)


def _make_stages() -> Iterator[nn.Sequential]:
    n_inputs = STAGES[0][0]
    for number, (n_outputs, n_blocks) in enumerate(STAGES):
        blocks = [BasicBlock(n_inputs, n_outputs, 2 if number else 1)]
        blocks += [BasicBlock(n_outputs, n_outputs, 1) for _ in range(n_blocks - 1)]
        yield nn.Sequential(*blocks)
        n_inputs = n_outputs
