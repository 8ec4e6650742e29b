"""Large photos: where the time goes with and without ``--reduce``, and what decoding at a reduced size would save.

JPEG files of 12 megapixels are made from group photos (enlarged, with noise as of a camera). Each goes through the
stages in turn, in one thread: decoding in full; decoding at a half and a quarter as JPEG allows it; detection by HOG
with one upsampling in the whole photo and in the copy that ``--reduce`` takes for faces from ``--min_face`` on; chip and
embedding of the largest face. Below the table: how far the embedding of that face is from the one of the full photo
when the photo was decoded at a half or a quarter.

    python -m benchmarks.large_photos --data ../shared/data [--photos 6] [--min_face 200]
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

# Before torch is imported: a thread that waits must not take the core from the one that works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np
import torch
from PIL import Image

from faceheads.images.reading import read_image
from features.align import crop_faces
from features.detect.hog import HogDetector
from features.face import Face
from features.landmarks import find_landmarks
from features.pipeline import FacePipeline, PipelineConfig
from features.reduction import ReducedDetector, reduction_for

from .arguments import benchmark_parser
from .photos import photos_in, spread
from .report import machine_line, markdown_table

Result = TypeVar("Result")
SIZE_WH = (4000, 3000)
#: Standard deviation of the noise, of 255: what makes a JPEG of a real camera's photo as large as it is.
NOISE = 6.0
DECODING_FACTORS = (1, 2, 4)


class Measurement:
    """Seconds of each stage, and distances of embeddings after decoding at a reduced size, over the photos."""

    def __init__(self, min_face_px: int) -> None:
        self.factor = reduction_for("hog", {}, min_face_px)
        self.seconds: dict[str, list[float]] = {}
        self.distances: dict[int, list[float]] = {factor: [] for factor in DECODING_FACTORS[1:]}
        self._whole, self._reduced = HogDetector(), ReducedDetector(HogDetector(), self.factor)
        self._pipeline = FacePipeline(PipelineConfig())

    def add(self, file: bytes) -> None:
        """Take one photo through all stages."""
        image = read_image(file).rgb
        decoded = {
            factor: self._timed(f"decode, 1/{factor}", partial(_decoded_at, file, factor))
            for factor in DECODING_FACTORS
        }
        self._timed("detect, whole", lambda: self._whole.detect([image]))
        faces = self._timed(f"detect, --reduce (1/{self.factor})", lambda: self._reduced.detect([image])[0])
        if faces:
            largest = max(faces, key=lambda face: face.size_px)
            vector = self._timed("align and embed", lambda: self._embedded(image, largest))
            for factor, distances in self.distances.items():
                shrunk = replace(largest, box_xyxy=largest.box_xyxy / factor)
                distances.append(_cosine_distance(vector, self._embedded(decoded[factor], shrunk)))

    def _cosine_distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(1 - one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


if __name__ == "__main__":
    main()
