"""What a dlib network file holds: its loss, its input and its layers, as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np


@dataclass(frozen=True, eq=False)
class Convolution:
    """``con_``: filters (outputs, inputs, rows, columns) and biases (outputs,), float32; zero padding on both sides."""

    filters: np.ndarray
    biases: np.ndarray
    stride_yx: tuple[int, int]
    padding_yx: tuple[int, int]
    is_followed_by_relu: bool = False


@dataclass(frozen=True, eq=False)
class Affine:
    """``affine_``: x · gamma + beta for each channel, float32 (channels,)."""

    gamma: np.ndarray
    beta: np.ndarray


@dataclass(frozen=True, eq=False)
class BatchNormalisation:
    """``bn_con2``: at test time x · gamma / sqrt(variance + epsilon) + (beta − mean · the same factor)."""

    gamma: np.ndarray
    beta: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    epsilon: float

    def as_affine(self) -> Affine:
        """What the layer computes at test time, rounded at each step as dlib does when it reads the file."""
        gamma = self.gamma / np.sqrt(self.variance + np.float32(self.epsilon))
        return Affine(gamma, self.beta - gamma * self.mean)


@dataclass(frozen=True)
class Relu:
    """``relu_``: max(x, 0)."""


@dataclass(frozen=True)
class Pool:
    """``max_pool_`` or ``avg_pool_``: ``kind`` is ``"max"`` or ``"avg"``; a window of (0, 0) is the whole plane."""

    kind: str
    window_hw: tuple[int, int]
    stride_yx: tuple[int, int]
    padding_yx: tuple[int, int]


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """``fc_``: weights (inputs, outputs) float32, biases (outputs,) or None."""

    weights: np.ndarray
    biases: np.ndarray | None


@dataclass(frozen=True)
class AddPrevious:
    """``add_prev_``: adds the output of a tagged layer; the smaller of the two is padded with zeros at its end."""


@dataclass(frozen=True)
class InputLayer:
    """``average_rgb`` is subtracted, then everything is divided by 256; the pyramid's paddings are in pixels."""

    kind: str
    average_rgb: tuple[float, float, float]
    size_hw: tuple[int, int] | None = None
    pyramid_padding: int = 0
    pyramid_outer_padding: int = 0


@dataclass(frozen=True)
class MetricLoss:
    """``loss_metric_``: two embeddings are of one identity when their distance is below ``distance_threshold``."""

    margin: float
    distance_threshold: float


@dataclass(frozen=True)
class OverlapTest:
    """Boxes overlap when intersection / bounding box of both, or the covered share of either, exceeds its limit."""

    iou_threshold: float
    percent_covered_threshold: float


@dataclass(frozen=True)
class MmodLoss:
    """``loss_mmod_``: the sliding windows (width, height) and the test for non-maximum suppression."""

    windows_wh: tuple[tuple[int, int], ...]
    overlaps_nms: OverlapTest
    uses_box_regression: bool = False


Layer: TypeAlias = Convolution | Affine | BatchNormalisation | Relu | Pool | FullyConnected | AddPrevious


@dataclass(frozen=True)
class Network:
    """A dlib network file: its loss, its input layer, and its layers in forward order, tags and skips left out."""

    path: Path
    loss: MetricLoss | MmodLoss
    input: InputLayer
    layers: tuple[Layer, ...]
