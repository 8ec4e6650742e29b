"""The detector ``mtcnn`` against facenet-pytorch's MTCNN: are the faces the same, and how much faster are they found.

facenet-pytorch takes photos of unequal size one by one only; so it does here. Ours gets them in batches. Each batch
goes through both in turn, so that what else the machine does slows both, and the ratio is taken per batch. Boxes are
compared in facenet-pytorch's own convention (counted from 1, last pixel included), faces in the order of their
probability. A photo with a side shorter than the smallest face makes facenet-pytorch raise; such photos are left out.

    python -m benchmarks.mtcnn --data ../shared/data [--wider 200] [--lfw 200] [--groups 8] [--batch 16] [--threads 1 2]

Needs ``pip install --no-deps facenet-pytorch==2.5.3 torchvision==0.28.0``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

# Before torch is imported: a thread that waits must not take the core from the one that works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np
import torch

from faceheads.images.reading import read_image
from faceheads.networks.torchvision_guard import ensure_torchvision
from features.detect.mtcnn import MtcnnDetector
from features.face import Face

from .arguments import benchmark_parser
from .photos import photo_sets
from .report import machine_line, markdown_table

#: From half-open boxes to facenet-pytorch's.
TO_REFERENCE = np.array([1, 1, 0, 0])


@dataclass(frozen=True)
class PhotoResult:
    """One photo: number of faces in the reference and in ours, largest differences (NaN where the numbers differ)."""

    n_reference: int
    n_ours: int
    box_px: float
    landmark_px: float
    probability: float


def main() -> None:
    """Print a table with a line for each set of photos and number of threads."""
    args = _arguments()
    ensure_torchvision()
    from facenet_pytorch import MTCNN

    print(f"{machine_line()}, facenet-pytorch {version('facenet-pytorch')}, batches of {args.batch}\n")
    reference, detector = MTCNN(keep_all=True, select_largest=False), MtcnnDetector()
    rows = []
    for name, photos in photo_sets(args.data, args.lfw, args.groups, args.wider).items():
        for n_threads in args.threads:
            torch.set_num_threads(n_threads)
            cv2.setNumThreads(n_threads)
            batches = [_run_batch(reference, detector, batch) for batch in _batches(photos, args.batch)]
            rows.append([name, n_threads, *_summary(batches)])
    header = [
        "photos",
        "threads",
        "number",
        "without a face",
        "faces",
        "photos with another number of faces",
        "largest difference: box, px",
        "landmark, px",
        "probability",
        "boxes more than 0.01 px apart: photos",
        "photos/s",
        "facenet-pytorch / ours: median (lowest) of batches",
    ]
    print(markdown_table(header, rows))
    print(f"\nload now {os.getloadavg()[0]:.1f}")


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--wider", type=int, default=200, help="photos of WIDER FACE: every size, small faces")
    parser.add_argument("--lfw", type=int, default=200, help="photos of LFW: 250 x 250, one large face")
    parser.add_argument("--groups", type=int, default=8, help="group photos")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    return parser.parse_args()


def _batches(paths: list[Path], size: int) -> Iterator[list[np.ndarray]]:
    """Decoded photos of any sizes, without those that are too small for facenet-pytorch."""
    for start in range(0, len(paths), size):
        photos = [read_image(path).rgb for path in paths[start : start + size]]
        yield [photo for photo in photos if min(photo.shape[:2]) >= 20]


def _run_batch(reference, detector: MtcnnDetector, photos: list[np.ndarray]) -> tuple[list[PhotoResult], float, float]:
    """What both find in a batch, and the seconds of the reference and of ours."""
    start = time.perf_counter()
    ours = detector.detect(photos)
    middle = time.perf_counter()
    theirs = [reference.detect(photo, landmarks=True) for photo in photos]
    end = time.perf_counter()
    results = [_compare(faces, *found) for faces, found in zip(ours, theirs, strict=True)]
    return results, end - middle, middle - start


def _compare(faces: list[Face], boxes, probabilities, landmarks) -> PhotoResult:
    n_reference = 0 if boxes is None else len(boxes)
    if n_reference != len(faces):
        return PhotoResult(n_reference, len(faces), *[float("nan")] * 3)
    if not faces:
        return PhotoResult(0, 0, 0.0, 0.0, 0.0)
    return PhotoResult(
        n_reference,
        len(faces),
        _largest([face.box_xyxy + TO_REFERENCE for face in faces], boxes),
        _largest([face.landmarks_xy for face in faces], landmarks),
        _largest([face.detection_score for face in faces], probabilities),
    )


def _largest(ours: list, theirs: np.ndarray) -> float:
    return float(np.abs(np.array(ours, float) - np.asarray(theirs, float)).max())


def _summary(batches: list[tuple[list[PhotoResult], float, float]]) -> list:
    results = [result for batch, _, _ in batches for result in batch]
    ratios = [theirs / ours for _, theirs, ours in batches]
    return [
        len(results),
        sum(result.n_reference == 0 for result in results),
        sum(result.n_reference for result in results),
        sum(result.n_reference != result.n_ours for result in results),
        f"{np.nanmax([result.box_px for result in results]):.2g}",
        f"{np.nanmax([result.landmark_px for result in results]):.2g}",
        f"{np.nanmax([result.probability for result in results]):.1g}",
        sum(result.box_px > 0.01 for result in results),
        f"{len(results) / sum(ours for _, _, ours in batches):.1f}",
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f})",
    ]


if __name__ == "__main__":
    main()
