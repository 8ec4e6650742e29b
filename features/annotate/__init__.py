"""Decisions drawn on photos, and the tables that go with them."""

from .decisions import Decision, FaceDecisions, describe, describe_attributes
from .drawing import draw_faces

__all__ = ["Decision", "FaceDecisions", "describe", "describe_attributes", "draw_faces"]
