"""What a training report is made from besides the result of the training."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...table import FaceTable
from ..thumbnails import PhotoReader
from .model_card import ModelCard


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
