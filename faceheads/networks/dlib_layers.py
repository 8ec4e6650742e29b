"""From the layers of a dlib file to the parameters of torch modules, each checked to be the one that is expected."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import nn

from .dlib_network import Affine, BatchNormalisation, Convolution, FullyConnected, Layer, Network

LayerType = TypeVar("LayerType")


def _describe(layer: Layer | None) -> str:
    if layer is None:
        return "the end"
    fields = {name: value.shape if isinstance(value, np.ndarray) else value for name, value in vars(layer).items()}
    return f"{type(layer).__name__}({', '.join(f'{name}={value}' for name, value in fields.items())})"


class LayerCursor:
    """The layers of a file one after the other; what is not the layer a network needs is a ValueError."""

    def __init__(self, network: Network, network_name: str) -> None:
        self._network = network
        self._network_name = network_name
        self._position = 0

    @property
    def _next(self) -> Layer | None:
        layers = self._network.layers
        return layers[self._position] if self._position < len(layers) else None

    def _fail(self, expected: str) -> ValueError:
        return ValueError(
            f"{self._network.path}: layer {self._position} must be {expected}; got {_describe(self._next)}. "
            f"The file does not hold {self._network_name}."
        )

    def take(self, kind: type[LayerType]) -> LayerType:
        """The next layer, which must be of this class."""
        layer = self._next
        if not isinstance(layer, kind):
            raise self._fail(kind.__name__)
        self._position += 1
        return layer

    def expect(self, layer: Layer | None) -> None:
        """Skips the next layer, which must equal ``layer``; None is the end."""
        if self._next != layer:
            raise self._fail(_describe(layer))
        self._position += 1

    @torch.no_grad()
    def fill_convolution(self, conv: nn.Conv2d) -> None:
        """The next layer, which must be a convolution of the same geometry, becomes the weights of ``conv``."""
        expected = (tuple(conv.weight.shape), conv.stride, conv.padding, False)
        layer = self._next
        if not isinstance(layer, Convolution) or _geometry(layer) != expected:
            raise self._fail(
                f"a convolution of shape {expected[0]}, stride {expected[1]} and padding {expected[2]} without relu"
            )
        conv.weight.copy_(_tensor(layer.filters))
        conv.bias.copy_(_tensor(layer.biases))
        self._position += 1

    @torch.no_grad()
    def fill_affine(self, gamma: nn.Parameter, beta: nn.Parameter) -> None:
        """The next layer, affine or a batch normalisation at test time, becomes ``gamma`` and ``beta``."""
        layer = self._next
        if isinstance(layer, BatchNormalisation):
            layer = layer.as_affine()
        if not isinstance(layer, Affine) or layer.gamma.shape != tuple(gamma.shape):
            raise self._fail(f"an affine layer of {gamma.numel()} channels")
        gamma.copy_(_tensor(layer.gamma))
        beta.copy_(_tensor(layer.beta))
        self._position += 1

    @torch.no_grad()
    def fill_linear(self, linear: nn.Linear) -> None:
        """The next layer, which must be fully connected and without biases, becomes the weights of ``linear``."""
        layer = self._next
        shape = (linear.in_features, linear.out_features)
        if not isinstance(layer, FullyConnected) or layer.weights.shape != shape or layer.biases is not None:
            raise self._fail(f"a fully connected layer of shape {shape} without biases")
        linear.weight.copy_(_tensor(layer.weights).T)
        self._position += 1


def _geometry(layer: Convolution) -> tuple:
    return layer.filters.shape, layer.stride_yx, layer.padding_yx, layer.is_followed_by_relu


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))


class ScaledConvolution(nn.Module):
    """A convolution followed by dlib's ``affine_``: a factor and an offset for each output channel."""

    def __init__(self, n_inputs: int, n_outputs: int, window: int, stride: int, padding: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_inputs, n_outputs, window, stride, padding)
        self.gamma = nn.Parameter(torch.ones(n_outputs))
        self.beta = nn.Parameter(torch.zeros(n_outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Activations (n, outputs, rows, columns)."""
        return self.conv(x) * self.gamma[:, None, None] + self.beta[:, None, None]

    def fill(self, layers: LayerCursor) -> None:
        """Takes its parameters from the next two layers of a file."""
        layers.fill_convolution(self.conv)
        layers.fill_affine(self.gamma, self.beta)

    def folded_parameters(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights and biases, float64, of one convolution that computes the same."""
        gamma = self.gamma.double()
        weight = self.conv.weight.double() * gamma[:, None, None, None]
        return weight, self.conv.bias.double() * gamma + self.beta.double()
