"""Scores of dlib's CNN detector to the last bit: the same additions in the same order, for single windows.

Float32 sums depend on the order of their terms. dlib adds the products of a convolution one after the other, input
channel by channel, row by row and column by column of the filter; fast kernels add in another order, so their scores
differ in the last digits. That matters where two windows are equally good but for these: which of them is reported then
depends on rounding. Such windows, which are rare, are scored again here.

References
----------
dlib 20.0.1, ``cuda/cpu_dlib.cpp`` (convolution by matrix product, affine) and ``matrix/matrix_default_mul.h``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .dlib_network import Affine, BatchNormalisation, Convolution, Layer


@dataclass(frozen=True)
class Span:
    """Rows (or columns) of a convolution's input that are needed, and how many zeros stand before and behind them."""

    start: int
    stop: int
    zeros_before: int
    zeros_behind: int


def output_sizes(geometry: Sequence[tuple[int, int, int]], size: int) -> list[int]:
    """Rows (or columns) of the input of each convolution, then of the last output; 0 where nothing is left.

    Parameters
    ----------
    geometry : sequence of (window, stride, padding)
    size : int
    """
    sizes = [size]
    for window, stride, padding in geometry:
        padded = size + 2 * padding
        size = (padded - window) // stride + 1 if size > 0 and padded >= window else 0
        sizes.append(size)
    return sizes


def spans_needed(geometry: Sequence[tuple[int, int, int]], sizes: Sequence[int], start: int, stop: int) -> list[Span]:
    """What each convolution reads, in forward order, so that the last one gives rows (or columns) start to stop.

    Parameters
    ----------
    geometry : sequence of (window, stride, padding)
    sizes : sequence of int
        What :func:`output_sizes` returns.
    start, stop : int
    """
    spans = []
    for (window, stride, padding), size in zip(reversed(geometry), reversed(sizes[:-1])):
        first, last = start * stride - padding, (stop - 1) * stride - padding + window
        start, stop = max(first, 0), min(last, size)
        spans.append(Span(start, stop, start - first, last - stop))
    return spans[::-1]


def score_in_dlibs_order(layers: Sequence[Layer], plane: np.ndarray, row: int, column: int) -> np.float32:
    """The score of one window, rounded as dlib rounds it.

    Parameters
    ----------
    layers : sequence of Layer
        Convolutions, each but the last followed by an affine layer or a batch normalisation, and a relu.
    plane : ndarray of shape (3, height, width), float32
        The tiled pyramid, normalised.
    row, column : int
        Position in the map of scores.
    """
    convolutions = [layer for layer in layers if isinstance(layer, Convolution)]
    affines = [_as_affine(layer) for layer in layers if isinstance(layer, Affine | BatchNormalisation)]
    rows, columns = (
        spans_needed(geometry, output_sizes(geometry, size), position, position + 1)
        for geometry, size, position in zip(_geometry(convolutions), plane.shape[1:], (row, column))
    )
    x = plane[:, rows[0].start : rows[0].stop, columns[0].start : columns[0].stop]
    for i, convolution in enumerate(convolutions):
        x = _convolve_in_order(_pad(x, rows[i], columns[i]), convolution)
        if i < len(affines):
            x = np.maximum(x * affines[i].gamma[:, None, None] + affines[i].beta[:, None, None], 0)
    return x[0, 0, 0]


def _as_affine(layer: Affine | BatchNormalisation) -> Affine:
    return layer.as_affine() if isinstance(layer, BatchNormalisation) else layer


def _geometry(convolutions: Sequence[Convolution]) -> list[list[tuple[int, int, int]]]:
    """(window, stride, padding) of each convolution, vertically and horizontally."""
    return [[(c.filters.shape[2 + i], c.stride_yx[i], c.padding_yx[i]) for c in convolutions] for i in (0, 1)]


def _pad(x: np.ndarray, rows: Span, columns: Span) -> np.ndarray:
    zeros = ((0, 0), (rows.zeros_before, rows.zeros_behind), (columns.zeros_before, columns.zeros_behind))
    return np.pad(x, zeros)


def _convolve_in_order(x: np.ndarray, convolution: Convolution) -> np.ndarray:
    """A convolution of a padded input, float32, its products added one by one; the bias comes last."""
    n_outputs, n_inputs, window_rows, window_columns = convolution.filters.shape
    stride_y, stride_x = convolution.stride_yx
    n_rows = (x.shape[1] - window_rows) // stride_y + 1
    n_columns = (x.shape[2] - window_columns) // stride_x + 1
    total = np.zeros((n_outputs, n_rows, n_columns), np.float32)
    for channel, i, j in np.ndindex(n_inputs, window_rows, window_columns):
        pixels = x[channel, i : i + stride_y * n_rows : stride_y, j : j + stride_x * n_columns : stride_x]
        total += pixels * convolution.filters[:, channel, i, j][:, None, None]
    return total + convolution.biases[:, None, None]
