"""Decisions drawn on photos, and the tables that go with them.

``decisions`` and ``predictions`` say what is known about a face, ``layout`` where its label goes, ``drawing`` puts both
on the photo, ``records`` and ``writer`` make the tables.
"""

from .decisions import (
    Decision,
    FaceDecisions,
    describe,
    describe_attribute,
    describe_attributes,
)
from .drawing import draw_faces
from .predictions import decide_face
from .records import PhotoRecord
from .writer import AnnotationWriter, write_results

__all__ = [
    "AnnotationWriter",
    "Decision",
    "FaceDecisions",
    "PhotoRecord",
    "decide_face",
    "describe",
    "describe_attribute",
    "describe_attributes",
    "draw_faces",
    "write_results",
]
