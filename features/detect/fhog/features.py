"""The 31 feature planes of Felzenszwalb et al., as dlib computes them.

From the histogram of a cell come 18 features with the sign of the gradient, 9 without, and 4 of texture. Each is
normalised by the energy of the four blocks of 2 × 2 cells that contain the cell, and cut off.

References
----------
P. Felzenszwalb, R. Girshick, D. McAllester, D. Ramanan, "Object Detection with Discriminatively Trained Part-Based
Models", PAMI 2010, section 6; dlib's ``image_transforms/fhog.h``.
"""

from __future__ import annotations

from .geometry import N_BINS, ZEROS_BEFORE
from .simd import LANES, Pointer, Value, Writer, emitted

_N_DIRECTIONS = N_BINS // 2
_CUT = 0.2
_HALF_CUT = 0.1
_EPSILON = 1e-4
_TEXTURE = 2 * 0.2357


@emitted
def energy_row(writer: Writer, histogram: Pointer, pitch: Value, n: Value, energies: Pointer) -> None:
    """Energy of ``n`` cells of a row: the sum of the squares of the nine orientations without sign."""
    cells = histogram + 1
    with writer.loop(0, n, LANES) as cell:
        energy = writer.constant(0.0)
        for direction in range(_N_DIRECTIONS):
            with_sign = cells + pitch * direction + cell
            both = writer.load(with_sign, LANES) + writer.load(with_sign + pitch * _N_DIRECTIONS, LANES)
            energy = energy + both * both
        writer.store(energy, energies + cell)


@emitted
def block_row(writer: Writer, above: Pointer, below: Pointer, n: Value, limits: Pointer, scales: Pointer) -> None:
    """For each block of 2 × 2 cells where its features are cut off, and what they are multiplied by."""
    with writer.loop(0, n, LANES) as cell:
        upper = writer.load(above + cell, LANES) + writer.load(above + cell + 1, LANES)
        lower = writer.load(below + cell, LANES) + writer.load(below + cell + 1, LANES)
        limit = writer.sqrt(upper + lower + _EPSILON) * _CUT
        writer.store(limit, limits + cell)
        writer.store(writer.constant(_HALF_CUT) / limit, scales + cell)


def _normalised(writer: Writer, value: Value, limits: list[Value], scales: list[Value]) -> tuple[Value, list[Value]]:
    """The feature and, for the texture, the cut value in each of the four blocks."""
    cut = [writer.minimum(value, limit) for limit in limits]
    feature = cut[0] * scales[0]
    for one, scale in zip(cut[1:], scales[1:]):
        feature = writer.fma(one, scale, feature)
    return feature, cut


@emitted
def feature_row(
    writer: Writer,
    histogram: Pointer,
    pitch: Value,
    limit_rows: tuple[Pointer, Pointer],
    scale_rows: tuple[Pointer, Pointer],
    n: Value,
    planes: Pointer,
    stride: Value,
) -> None:
    """One row of all planes: ``n`` cells (and up to a vector further); limits and scales of the blocks below, above."""
    with writer.loop(0, n, LANES) as cell:
        source, target = histogram + cell + 2, planes + cell + ZEROS_BEFORE
        limits, scales = (
            [writer.load(row + cell + shift, LANES) for shift in (1, 0) for row in rows]
            for rows in (limit_rows, scale_rows)
        )
        textures = [writer.constant(0.0)] * 4
        for orientation in range(N_BINS):
            value = writer.load(source + pitch * orientation, LANES)
            feature, cut = _normalised(writer, value, limits, scales)
            textures = [texture + one for texture, one in zip(textures, cut)]
            writer.store(feature, target + stride * orientation)
        for direction in range(_N_DIRECTIONS):
            value = writer.load(source + pitch * direction, LANES)
            value = value + writer.load(source + pitch * (direction + _N_DIRECTIONS), LANES)
            feature, _ = _normalised(writer, value, limits, scales)
            writer.store(feature, target + stride * (N_BINS + direction))
        for number, (texture, scale) in enumerate(zip(textures, scales)):
            plane = N_BINS + _N_DIRECTIONS + number
            writer.store(texture * scale * _TEXTURE, target + stride * plane)
