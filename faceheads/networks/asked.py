"""What embedding networks refuse: no layer, an unknown one, and crops of another shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def check_asked(crops: Tensor, layers: Sequence[str], layer_dimension: Callable[[str], int], min_size_px: int) -> None:
    """Refuse what a network cannot compute.

    Parameters
    ----------
    crops : Tensor
        Must be of shape (n_faces, 3, height, width).
    layers : sequence of str
        At least one.
    layer_dimension : callable
        Takes the name of a layer and raises ValueError where there is none.
    min_size_px : int
        Least height and width.

    Raises
    ------
    ValueError
    """
    if not layers:
        raise ValueError("layers must name at least one layer; got none. Ask for ('final',).")
    for name in layers:
        layer_dimension(name)
    if crops.ndim != 4 or crops.shape[1] != 3 or min(crops.shape[2:]) < min_size_px:
        raise ValueError(
            f"crops must have shape (n_faces, 3, height, width) with at least {min_size_px} × {min_size_px} pixels; "
            f"got {tuple(crops.shape)}."
        )
