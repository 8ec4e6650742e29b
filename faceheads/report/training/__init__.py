"""The report of a training: what was learned from what, how well it does and for whom, and what it is for."""

from .document import training_document
from .model_card import CardError, ModelCard, read_card
from .sources import Sources

__all__ = ["CardError", "ModelCard", "Sources", "read_card", "training_document"]
