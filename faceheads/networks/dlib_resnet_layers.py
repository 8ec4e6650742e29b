"""The layers of dlib's face embedding network by their names, and how many numbers each gives; needs no torch.

Named layers, each a vector for a chip after pooling over the plane:

=============================  ========  ==============  =======================================
name                           channels  rows × columns  what
=============================  ========  ==============  =======================================
``stem``                       32        35 × 35         after the first convolution and pooling
``block01`` … ``block03``      32        35 × 35         ``stage1`` is ``block03``
``block04`` … ``block07``      64        17 × 17         ``stage2`` is ``block07``
``block08`` … ``block10``      128       8 × 8           ``stage3`` is ``block10``
``block11`` … ``block13``      256       4 × 4           ``stage4`` is ``block13``
``block14``                    256       2 × 2           ``stage5`` is ``block14``
``final``                      128       –               the embedding
=============================  ========  ==============  =======================================

``block10`` alone is the mean over the plane; ``block10@2x2`` is the mean over each cell of a grid of 2 rows and 2
columns, flattened channel by channel, rows before columns.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

#: Rows and columns of the chips that the network was trained on, in pixels.
CHIP_SIZE_PX = 150
#: Length of the embedding.
EMBEDDING_DIMENSION = 128
#: Channels, rows (and columns) of the activations, and number of residual blocks of each stage; every stage but the
#: first starts by halving the plane.
STAGES = ((32, 35, 3), (64, 17, 4), (128, 8, 3), (256, 4, 3), (256, 2, 1))

_STAGE_ENDS = tuple(itertools.accumulate(n_blocks for _, _, n_blocks in STAGES))
#: Channels and rows of the stem's activations, then of each block's.
_PLANES = (STAGES[0][:2], *(stage[:2] for stage in STAGES for _ in range(stage[2])))
#: Names of layers with a plane → position in ``_PLANES``.
_POSITIONS = {
    "stem": 0,
    **{f"block{position:02d}": position for position in range(1, len(_PLANES))},
    **{f"stage{stage}": position for stage, position in enumerate(_STAGE_ENDS, start=1)},
}
#: Every name that the network gives, without suffixes.
LAYER_NAMES = (*_POSITIONS, "final")
_GRID = re.compile(r"([1-9][0-9]?)x([1-9][0-9]?)")


@dataclass(frozen=True)
class LayerSource:
    """Where a layer's numbers come from: ``position`` None is the embedding."""

    position: int | None
    grid_hw: tuple[int, int] = (1, 1)


def _parse_layer(name: str) -> LayerSource:
    source, has_grid, grid = name.partition("@")
    match = _GRID.fullmatch(grid if has_grid else "1x1")
    if source not in LAYER_NAMES or match is None or (source == "final" and has_grid):
        raise ValueError(
            f"A layer must be one of {', '.join(LAYER_NAMES)}, all but 'final' with '@ROWSxCOLUMNS' behind it if "
            f"wanted; got {name!r}."
        )
    if source == "final":
        return LayerSource(None)
    grid_hw = (int(match[1]), int(match[2]))
    plane = _PLANES[_POSITIONS[source]][1]
    if max(grid_hw) > plane:
        raise ValueError(f"The grid of layer {source!r} must be at most {plane}x{plane}; got {name!r}.")
    return LayerSource(_POSITIONS[source], grid_hw)


def parse_layers(names: Sequence[str]) -> list[LayerSource]:
    """Where the numbers of layers come from.

    Raises
    ------
    ValueError
        If there are no names, or one is unknown.
    """
    sources = [_parse_layer(name) for name in names]
    if not sources:
        raise ValueError("layers must name at least one layer; got none. Ask for ('final',).")
    return sources


def layer_dimension(name: str) -> int:
    """How many numbers a layer gives for each chip.

    Parameters
    ----------
    name : str
        A layer's name, with or without ``@ROWSxCOLUMNS``.

    Raises
    ------
    ValueError
        If there is no such layer or its plane is smaller than the grid.
    """
    source = _parse_layer(name)
    if source.position is None:
        return EMBEDDING_DIMENSION
    return _PLANES[source.position][0] * source.grid_hw[0] * source.grid_hw[1]
