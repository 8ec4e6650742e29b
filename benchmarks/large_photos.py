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
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig
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

    def _timed(self, name: str, work: Callable[[], Result]) -> Result:
        start = time.perf_counter()
        result = work()
        self.seconds.setdefault(name, []).append(time.perf_counter() - start)
        return result

    def _embedded(self, image: np.ndarray, face: Face) -> np.ndarray:
        crops = crop_faces(image, find_landmarks(image, [face], "dlib5"), self._pipeline.embedder.spec.crop)
        return self._pipeline.embedder.embed(crops)[0]


def main() -> None:
    """Print milliseconds of each stage, median over the photos."""
    args = _arguments()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    measurement = Measurement(args.min_face)
    files = [_large_jpeg(read_image(path).rgb) for path in spread(photos_in(args.data / "group_photos"), args.photos)]
    for file in files:
        measurement.add(file)
    megabytes = statistics.median(len(file) for file in files) / 1e6
    print(f"{machine_line()}\n\n{len(files)} photos of {SIZE_WH[0]} x {SIZE_WH[1]}, {megabytes:.1f} MB each\n")
    rows = [[name, f"{statistics.median(seconds) * 1e3:.0f}"] for name, seconds in measurement.seconds.items()]
    print(markdown_table(["stage", "ms, median"], rows))
    for factor, distances in measurement.distances.items():
        print(f"\nembedding after decoding at 1/{factor}: median cosine distance {statistics.median(distances):.4f}")
    print(f"\nload now {os.getloadavg()[0]:.1f}")


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--photos", type=int, default=6)
    parser.add_argument("--min_face", type=int, default=200)
    return parser.parse_args()


def _large_jpeg(photo: np.ndarray) -> bytes:
    """A photo of 12 megapixels as a JPEG file."""
    large = cv2.resize(photo, SIZE_WH, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    large += np.random.default_rng(0).normal(0, NOISE, large.shape).astype(np.float32)
    file = io.BytesIO()
    Image.fromarray(large.round().clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=92)
    return file.getvalue()


def _decoded_at(file: bytes, factor: int) -> np.ndarray:
    """The photo in a size that the decoder itself can give: it leaves the fine frequencies away."""
    with Image.open(io.BytesIO(file)) as image:
        if factor > 1:
            image.draft("RGB", (image.width // factor, image.height // factor))
        return np.array(image.convert("RGB"))


def _cosine_distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(1 - one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


if __name__ == "__main__":
    main()
