"""dlib's network with a second one beside it that looks at the finest detail: who it is, and whether the photo was forged.

A network that knows people again whatever the camera does not see what bending and blending a face leaves behind, and
finetuning it to see that costs it what it knows of people. Here both stand side by side: the embedding is dlib's 128 numbers and
a few more of a small network that sees nothing but each pixel's difference from its neighbours.

References
----------
J. Fridrich, J. Kodovský, Rich models for steganalysis of digital images, IEEE TIFS 2012 (truncated residuals instead of pixels).
ITU-T T.871 (JFIF), the colour conversion.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .asked import check_asked
from .dlib_resnet import DlibResNet
from .dlib_resnet_layers import CHIP_SIZE_PX
from .dlib_resnet_layers import EMBEDDING_DIMENSION as IDENTITY_DIMENSION

#: Numbers that the second network adds, and of the embedding.
TRACE_DIMENSION = 4
EMBEDDING_DIMENSION = IDENTITY_DIMENSION + TRACE_DIMENSION
#: From RGB to luma and the two colour differences, as JPEG does it, without the offset.
_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
#: Differences from the neighbours are cut off here, and divided by this, in steps of 8-bit colours.
_LARGEST, _SCALE = 16.0, 4.0
#: Largest number of the traces: together they may be as long as a third of dlib's embedding, so that people stay apart.
_LONGEST = 0.2
_N_FILTERS, _N_CHANNELS, _N_CELLS = 48, 64, 6


def layer_dimension(name: str) -> int:
    """How many numbers a layer gives for each face.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    if name != "final":
        raise ValueError(f"The layer of dlib_traces must be 'final'; got {name!r}.")
    return EMBEDDING_DIMENSION


class TraceNetwork(nn.Module):
    """A few numbers from −0.2 to 0.2 of a crop's finest detail.

    The energies of learned filters on the residuals, as logarithms, are compared by three convolutions; a matrix looks at a grid of
    6 × 6 cells, so that it can tell the face from what is around it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("ycbcr", torch.tensor(_YCBCR), persistent=False)
        self.filters = nn.Conv2d(3, _N_FILTERS, 7, 2, 3, bias=False)
        self.norm = nn.BatchNorm2d(_N_FILTERS)
        self.near = _convolution(_N_FILTERS, _N_FILTERS)
        self.far = nn.Sequential(_convolution(_N_FILTERS, _N_CHANNELS), _convolution(_N_CHANNELS, _N_CHANNELS))
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(_N_CHANNELS * _N_CELLS**2, TRACE_DIMENSION)

    def forward(self, crops: Tensor) -> Tensor:
        """Traces.

        Parameters
        ----------
        crops : Tensor of shape (n_faces, 3, 150, 150), float
            RGB in [0, 255].

        Returns
        -------
        Tensor of shape (n_faces, 4)
        """
        energy = torch.log1p(4 * self.filters(self._residuals(crops)) ** 2)
        x = F.max_pool2d(self.near(F.avg_pool2d(self.norm(energy), 2)), 2)
        cells = F.avg_pool2d(self.far(x), 3)
        return _LONGEST * torch.tanh(self.fc(self.dropout(cells.flatten(1))))

    def _residuals(self, crops: Tensor) -> Tensor:
        """Each pixel's difference from the mean of the 3 × 3 around it, in luma and colour differences, cut off."""
        x = F.conv2d(crops, self.ycbcr.to(crops.dtype)[:, :, None, None])
        mean = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
        return (x - mean).clamp(-_LARGEST, _LARGEST) / _SCALE


def _convolution(n_inputs: int, n_outputs: int) -> nn.Sequential:
    layers = (nn.Conv2d(n_inputs, n_outputs, 3, padding=1, bias=False), nn.BatchNorm2d(n_outputs), nn.ReLU())
    return nn.Sequential(*layers)


class DlibTraces(nn.Module):
    """Both networks, with random weights.

    Parameters
    ----------
    is_folded : bool, default=True
        Of dlib's network, see :class:`~faceheads.networks.dlib_resnet.DlibResNet`.
    """

    #: Every name that ``forward`` accepts.
    layer_names = ("final",)

    def __init__(self, is_folded: bool = True) -> None:
        super().__init__()
        self.identity = DlibResNet(is_folded)
        self.traces = TraceNetwork()

    @staticmethod
    def layer_dimension(name: str) -> int:
        """How many numbers a layer gives for each face: :func:`layer_dimension`."""
        return layer_dimension(name)

    def forward(self, crops: Tensor, layers: Sequence[str] = ("final",)) -> Tensor:
        """Embeddings: dlib's 128 numbers, then the 4 of the traces.

        Parameters
        ----------
        crops : Tensor of shape (n_faces, 3, 150, 150), uint8 or float
            Aligned faces, RGB in [0, 255].
        layers : sequence of str, default=("final",)

        Returns
        -------
        Tensor of shape (n_faces, 132), in the precision of the weights

        Raises
        ------
        ValueError
            If the crops have another shape or a layer is unknown.
        """
        check_asked(crops, layers, layer_dimension, CHIP_SIZE_PX)
        identity = self.identity(crops)
        traces = self.traces(crops.to(dtype=identity.dtype, memory_format=torch.channels_last))
        return torch.cat([identity, traces] * len(layers), 1)

    def folded(self) -> DlibTraces:
        """A copy that computes the same with dlib's affine layers folded into its convolutions."""
        return self._with(self.identity.folded())

    def unfolded(self) -> DlibTraces:
        """A copy that computes the same in the form that is trained."""
        return self._with(self.identity.unfolded())

    def _with(self, identity: DlibResNet) -> DlibTraces:
        twin = DlibTraces(identity.is_folded)
        twin.identity, twin.traces = identity, copy.deepcopy(self.traces)
        return twin.train(self.training)
