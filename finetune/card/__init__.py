"""The model card of an exported network: what it was made of, how well it does and for whom, what it is not for."""

from .words import UNSAID
from .writing import write_card

__all__ = ["UNSAID", "write_card"]
