"""The network of dlib's CNN face detector as a torch module, from dlib's own weight file.

Seven convolutions turn an image into a map of scores, one for each step of eight pixels: how well a face fits a window
of 80 × 80 pixels there. Other sizes are found by feeding a pyramid; the options that this needs (gaps between its
levels, the window, the overlap test for non-maximum suppression) are in the file too and become attributes.

References
----------
dlib 20.0.1, ``examples/dnn_mmod_face_detection_ex.cpp`` (topology). King, "Max-Margin Object Detection",
arXiv 1502.00046.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .dlib_format import read_dlib_network
from .dlib_layers import LayerCursor, ScaledConvolution
from .dlib_network import MmodLoss, Network, Relu
from .dlib_rounding import Span, output_sizes, spans_needed

#: Inputs, outputs, window, stride, padding of each convolution; all but the last are followed by affine and relu.
CONVOLUTIONS = (
    (3, 16, 5, 2, 0),
    (16, 32, 5, 2, 0),
    (32, 32, 5, 2, 0),
    (32, 45, 5, 1, 2),
    (45, 45, 5, 1, 2),
    (45, 45, 5, 1, 2),
    (45, 1, 9, 1, 4),
)
#: dlib divides the input by this after subtracting the average colour.
INPUT_SCALE = 256.0
#: Input pixels that are worked on at once, which bounds the memory for activations: 16 channels at a quarter of the
#: pixels are the largest, 130 MB.
STRIP_PIXELS = 8_000_000

#: Window, stride and padding of each convolution.
_GEOMETRY = tuple(geometry[2:] for geometry in CONVOLUTIONS)
_NETWORK_NAME = "dlib's CNN face detector"


class DlibMmod(nn.Module):
    """Scores of windows; :func:`build_dlib_mmod` makes it from dlib's file.

    Attributes
    ----------
    loss : MmodLoss
        ``windows_wh[0]`` is the size of the window in input pixels; ``overlaps_nms`` the overlap test.
    input : InputLayer
        ``pyramid_padding`` and ``pyramid_outer_padding``, in pixels, are what the network was trained with.
    layers : tuple of Layer
        The file's layers, as :func:`~faceheads.networks.dlib_rounding.score_in_dlibs_order` takes them.
    average_rgb : Tensor of shape (3,)
        What to subtract from the pixels before dividing them by ``INPUT_SCALE``; ``forward`` does neither.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.loss = network.loss
        self.input = network.input
        self.layers = network.layers
        self.register_buffer("average_rgb", torch.tensor(network.input.average_rgb))
        self.convs = nn.ModuleList(nn.Conv2d(*geometry) for geometry in CONVOLUTIONS)

    def forward(self, x: Tensor, strip_pixels: int = STRIP_PIXELS) -> Tensor:
        """Scores of the windows; a face is where the score is above 0.

        Parameters
        ----------
        x : Tensor of shape (n_images, 3, height, width), float32
            Normalised pixels.
        strip_pixels : int
            Images are worked on in strips of about this many pixels, n_images included. The scores do not depend on
            it.

        Returns
        -------
        Tensor of shape (n_images, rows, columns)
            Empty for images of less than 29 rows or columns.
        """
        heights, widths = (output_sizes(_GEOMETRY, size) for size in x.shape[2:])
        n_rows = heights[-1]
        if n_rows < 1 or widths[-1] < 1:
            return x.new_zeros((len(x), 0, 0))
        strip_rows = max(1, strip_pixels * n_rows // (len(x) * x.shape[2] * x.shape[3]))
        strips = range(0, n_rows, strip_rows)
        return torch.cat([self._strip(x, heights, row, min(row + strip_rows, n_rows)) for row in strips], dim=1)

    def _strip(self, x: Tensor, heights: list[int], start: int, stop: int) -> Tensor:
        """Rows ``start`` to ``stop`` of the scores, shape (n_images, rows, columns)."""
        spans = spans_needed(_GEOMETRY, heights, start, stop)
        x = x[:, :, spans[0].start : spans[0].stop].contiguous(memory_format=torch.channels_last)
        for conv, rows in zip(self.convs[:-1], spans):
            x = F.relu_(_convolve(conv, x, rows))
        return _convolve_to_one_channel(self.convs[-1], x, spans[-1])

    def input_xy(self, columns_rows: np.ndarray) -> np.ndarray:
        """Centres of windows, in input pixels (x, y), of scores at (column, row); both of shape (n, 2)."""
        xy = columns_rows
        for conv in reversed(self.convs):
            xy = xy * conv.stride[0] - conv.padding[0] + conv.kernel_size[0] // 2
        return xy


def _convolve(conv: nn.Conv2d, x: Tensor, rows: Span) -> Tensor:
    above, below = rows.zeros_before, rows.zeros_behind
    if above != below:
        x = F.pad(x, (0, 0, above, below))
        above = 0
    return F.conv2d(x, conv.weight, conv.bias, conv.stride, (above, conv.padding[1]))


def _convolve_to_one_channel(conv: nn.Conv2d, x: Tensor, rows: Span) -> Tensor:
    """The same for a convolution with one output, shape (n, rows, columns), faster.

    Vectorised kernels compute at least eight output channels at once. So each column of the window becomes a channel
    of a convolution with windows of one column, and what it gives is added up, each channel moved by one column.
    """
    x = F.pad(x, (conv.padding[1], conv.padding[1], rows.zeros_before, rows.zeros_behind))
    by_column = F.conv2d(x, conv.weight[0].permute(2, 0, 1).unsqueeze(3))
    n_columns = x.shape[3] - conv.kernel_size[1] + 1
    shifted = (by_column[:, i, :, i : i + n_columns] for i in range(conv.kernel_size[1]))
    return sum(shifted, conv.bias)


def _fill(module: DlibMmod, network: Network) -> None:
    """Takes every parameter from the layers of a file, affine layers folded into the convolutions."""
    layers = LayerCursor(network, _NETWORK_NAME)
    for conv, geometry in zip(module.convs[:-1], CONVOLUTIONS):
        scaled = ScaledConvolution(*geometry)
        scaled.fill(layers)
        layers.expect(Relu())
        weight, bias = scaled.folded_parameters()
        conv.weight.copy_(weight)
        conv.bias.copy_(bias)
    layers.fill_convolution(module.convs[-1])
    layers.expect(None)


def build_dlib_mmod(path: str | Path) -> DlibMmod:
    """dlib's CNN face detector with the weights of its file.

    Parameters
    ----------
    path : str or Path
        ``mmod_human_face_detector.dat``.

    Returns
    -------
    DlibMmod
        In evaluation mode, weights in channels-last order.

    Raises
    ------
    ValueError
        If the file is damaged or holds another network.
    """
    network = read_dlib_network(path)
    loss, kind = network.loss, network.input.kind
    has_one_window = isinstance(loss, MmodLoss) and len(loss.windows_wh) == 1 and not loss.uses_box_regression
    if not has_one_window or not kind.startswith("input_rgb_image_pyramid"):
        raise ValueError(
            f"{network.path}: it must have an image pyramid as input and the mmod loss with one window and no box "
            f"regression; got {kind} and {loss}. The file does not hold {_NETWORK_NAME}."
        )
    module = DlibMmod(network)
    with torch.no_grad():
        _fill(module, network)
    return module.to(memory_format=torch.channels_last).eval()
