"""What happens to photos: weather, light, cameras and compression, each seeded and in three severities.

:func:`distort` does one to one photo; :data:`KINDS` is the table of their parameters. Nothing but numpy and OpenCV is
needed, and OpenCV only when a photo is distorted.
"""

from .kinds import FACECOM_KINDS, KINDS, SEVERITIES, Kind, distort, seed_of
from .subject import REFERENCE_FACE_PX, Subject

__all__ = ["FACECOM_KINDS", "KINDS", "REFERENCE_FACE_PX", "SEVERITIES", "Kind", "Subject", "distort", "seed_of"]
