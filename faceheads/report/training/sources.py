"""What a training report is made from besides the result of the training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...table import FaceTable
from .model_card import ModelCard

#: Rows of a table → for each a small JPEG of the face, None where the photo is missing or another one.
PhotoReader = Callable[[FaceTable], list[bytes | None]]


@dataclass(frozen=True, eq=False)
class Sources:
    """Where the data came from.

    Attributes
    ----------
    table : FaceTable
        The whole feature table, rows without a label included.
    feature, label : str
        Names of the feature table and of the label table.
    photos : PhotoReader or None
        None where the photos are not at hand.
    card : ModelCard
    """

    table: FaceTable
    feature: str
    label: str
    photos: PhotoReader | None = None
    card: ModelCard = field(default_factory=ModelCard)
