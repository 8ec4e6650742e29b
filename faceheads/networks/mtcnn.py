"""The three networks of MTCNN: one proposes windows of 12 pixels, one refines them, one finishes with landmarks.

All take RGB images as float32 tensors (n, 3, height, width) of ``(pixel − 127.5) / 128`` and tell, for every window,
how likely it is a face and by how much its borders should move, in fractions of the window's size. The names of the
tensors are those of facenet-pytorch's weight files.

References
----------
K. Zhang, Z. Zhang, Z. Li, Y. Qiao: Joint face detection and alignment using multitask cascaded convolutional networks.
IEEE Signal Processing Letters 23(10), 2016. https://arxiv.org/abs/1604.02878
"""

from __future__ import annotations

import os
from typing import NamedTuple

import torch
from torch import nn

from .state_file import load_strictly, read_state_dict

#: What a pixel value is moved and multiplied by before it enters a network.
PIXEL_MEAN = 127.5
PIXEL_FACTOR = 1 / 128
#: The proposal network sees windows of this size, at every second pixel in both directions.
PROPOSAL_WINDOW_PX = 12
PROPOSAL_STRIDE_PX = 2
#: Sides of the square crops that the other two take.
REFINER_SIZE_PX = 24
FINISHER_SIZE_PX = 48


class _RowPReLU(nn.PReLU):
    """PReLU over rows of an image at once: with channels last, torch's own runs over ten channels at a time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pixels = x.permute(0, 2, 3, 1)
        rows = pixels.flatten(0, 1).flatten(1)
        return nn.functional.prelu(rows, self.weight.repeat(x.shape[3])).view(pixels.shape).permute(0, 3, 1, 2)


class _MaxOfFour(nn.Module):
    """The maximum of every 2 × 2 pixels, at an odd border of fewer; what ``MaxPool2d`` gives, in less time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for axis in (2, 3):
            if x.shape[axis] % 2:
                x = torch.cat([x, x.narrow(axis, -1, 1)], axis)
            first, second = x.unflatten(axis, (-1, 2)).unbind(axis + 1)
            x = torch.maximum(first, second)
        return x


class ProposalNet(nn.Module):
    """P-Net: fully convolutional, so that one pass judges all windows of an image of any size ≥ 12 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 10, 3)
        self.prelu1 = _RowPReLU(10)
        self.pool1 = _MaxOfFour()
        self.conv2 = nn.Conv2d(10, 16, 3)
        self.prelu2 = _RowPReLU(16)
        self.conv3 = nn.Conv2d(16, 32, 3)
        self.prelu3 = _RowPReLU(32)
        self.conv4_1 = nn.Conv2d(32, 2, 1)
        self.conv4_2 = nn.Conv2d(32, 4, 1)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Probability of a face, shape (n, rows, columns), and the moves of x0, y0, x1, y1, (n, 4, rows, columns)."""
        x = self.pool1(self.prelu1(self.conv1(images)))
        x = self.prelu3(self.conv3(self.prelu2(self.conv2(x))))
        weight = torch.cat([self.conv4_1.weight, self.conv4_2.weight])  # one pass over x instead of two
        x = nn.functional.conv2d(x, weight, torch.cat([self.conv4_1.bias, self.conv4_2.bias]))
        return x[:, :2].softmax(1)[:, 1], x[:, 2:]

    def in_strips(self, images: torch.Tensor, strip_rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        """What :meth:`forward` gives, from strips of about so many rows one after the other: less memory at a time."""
        step = max(1, (strip_rows - PROPOSAL_WINDOW_PX) // PROPOSAL_STRIDE_PX)
        if step * PROPOSAL_STRIDE_PX + PROPOSAL_WINDOW_PX >= images.shape[2]:
            return self(images)
        n_rows = images.shape[2]
        strips = []
        for first in range(0, n_rows - PROPOSAL_WINDOW_PX + PROPOSAL_STRIDE_PX, step * PROPOSAL_STRIDE_PX):
            behind = first + (step - 1) * PROPOSAL_STRIDE_PX + PROPOSAL_WINDOW_PX
            strips.append(self(images[:, :, first : min(behind, n_rows)]))
        probabilities, moves = zip(*strips, strict=True)
        return torch.cat(probabilities, 1), torch.cat(moves, 2)


class RefinerNet(nn.Module):
    """R-Net: crops of 24 × 24 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 28, 3)
        self.prelu1 = nn.PReLU(28)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = nn.Conv2d(28, 48, 3)
        self.prelu2 = nn.PReLU(48)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv3 = nn.Conv2d(48, 64, 2)
        self.prelu3 = nn.PReLU(64)
        self.dense4 = nn.Linear(576, 128)
        self.prelu4 = nn.PReLU(128)
        self.dense5_1 = nn.Linear(128, 2)
        self.dense5_2 = nn.Linear(128, 4)

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Probability of a face, shape (n,), and the moves of x0, y0, x1, y1, shape (n, 4)."""
        x = self.pool1(self.prelu1(self.conv1(crops)))
        x = self.pool2(self.prelu2(self.conv2(x)))
        x = self.prelu3(self.conv3(x))
        x = self.prelu4(self.dense4(_flattened(x)))
        return self.dense5_1(x).softmax(1)[:, 1], self.dense5_2(x)


class FinisherNet(nn.Module):
    """O-Net: crops of 48 × 48 pixels; also finds the five landmarks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3)
        self.prelu1 = nn.PReLU(32)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.prelu2 = nn.PReLU(64)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv3 = nn.Conv2d(64, 64, 3)
        self.prelu3 = nn.PReLU(64)
        self.pool3 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv4 = nn.Conv2d(64, 128, 2)
        self.prelu4 = nn.PReLU(128)
        self.dense5 = nn.Linear(1152, 256)
        self.prelu5 = nn.PReLU(256)
        self.dense6_1 = nn.Linear(256, 2)
        self.dense6_2 = nn.Linear(256, 4)
        self.dense6_3 = nn.Linear(256, 10)

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Probability of a face, (n,), moves of x0, y0, x1, y1, (n, 4), and landmarks, (n, 5, 2).

        The landmarks are eye, eye, nose, mouth corner, mouth corner, those on the image's left first; x and y as
        fractions of the crop.
        """
        x = self.pool1(self.prelu1(self.conv1(crops)))
        x = self.pool2(self.prelu2(self.conv2(x)))
        x = self.pool3(self.prelu3(self.conv3(x)))
        x = self.prelu4(self.conv4(x))
        x = self.prelu5(self.dense5(_flattened(x)))
        landmarks = self.dense6_3(x).unflatten(1, (2, 5)).transpose(1, 2)
        return self.dense6_1(x).softmax(1)[:, 1], self.dense6_2(x), landmarks


class Mtcnn(NamedTuple):
    """The three networks, frozen and in evaluation mode."""

    proposal: ProposalNet
    refiner: RefinerNet
    finisher: FinisherNet


def build_mtcnn(
    pnet: str | os.PathLike, rnet: str | os.PathLike, onet: str | os.PathLike, device: str | torch.device = "cpu"
) -> Mtcnn:
    """The three networks with the weights of three files (``mtcnn_pnet``, ``mtcnn_rnet``, ``mtcnn_onet``).

    Raises
    ------
    ValueError
        If a file does not hold the tensors of its network.
    """
    networks = Mtcnn(ProposalNet(), RefinerNet(), FinisherNet())
    for network, path in zip(networks, (pnet, rnet, onet), strict=True):
        load_strictly(network, read_state_dict(path), path)
        network.eval().requires_grad_(False).to(device)
    return networks


def _flattened(x: torch.Tensor) -> torch.Tensor:
    """Vectors in the order of the original Caffe models: column by column, channels innermost."""
    return x.permute(0, 3, 2, 1).flatten(1)
