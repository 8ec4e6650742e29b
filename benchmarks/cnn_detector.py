"""The CNN detector in torch against dlib's: are the rectangles equal, and how much faster are they found.

Every photo goes through dlib's detector and ours in turn; rectangles and their order must be equal, confidences
within 1e-4. dlib runs in one thread (its wheel has no other way), torch with each number of threads.

    python -m benchmarks.cnn_detector --data ../shared/data [--upsample 0 1] [--wider 20] [--lfw 30]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Before torch is imported: a thread that waits must not take the core from the one that works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import dlib
import numpy as np
import torch

from faceheads.images.reading import read_image
from faceheads.weights import find_weights
from features.detect.cnn import CnnDetector
from features.face import Face

from .arguments import benchmark_parser
from .photos import photo_sets
from .report import machine_line, markdown_table

THREADS = (1, 2)


@dataclass(frozen=True)
class Comparison:
    """One photo: faces, whether all rectangles are equal, largest difference of confidence, dlib's time over ours."""

    n_faces: int
    is_equal: bool
    difference: float
    dlib_seconds: float
    ratios: tuple[float, ...]


def main() -> None:
    """Print a table with a line for each set of photos."""
    args = _arguments()
    print(f"{machine_line()}\n")
    model = dlib.cnn_face_detection_model_v1(str(find_weights("dlib_cnn_detector")))
    header = [
        "photos",
        "upsample",
        "number",
        "faces",
        "photos with equal rectangles",
        "largest difference of confidence",
    ]
    header += ["dlib, s a photo", *(f"dlib / torch with {n} thread{'s' * (n > 1)}: median (lowest)" for n in THREADS)]
    rows = []
    for upsample in args.upsample:
        detector = CnnDetector(upsample=upsample)
        for name, photos in photo_sets(args.data, args.lfw, args.groups, args.wider).items():
            rows.append([name, upsample, *_summary([_compare(model, detector, photo) for photo in photos])])
    print(markdown_table(header, rows))
    print(f"\nload now {os.getloadavg()[0]:.1f}")


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--upsample", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--wider", type=int, default=20)
    parser.add_argument("--lfw", type=int, default=30)
    return parser.parse_args()


def _timed(work: Callable[[], object]) -> tuple[object, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def _compare(model: dlib.cnn_face_detection_model_v1, detector: CnnDetector, path: Path) -> Comparison:
    photo = read_image(path).rgb
    found, dlib_seconds = _timed(lambda: model(photo, detector.upsample))
    ratios = []
    for n_threads in THREADS:
        torch.set_num_threads(n_threads)
        detector.detect([np.zeros((100, 100, 3), np.uint8)])
        ours, seconds = _timed(lambda: detector.detect([photo])[0])
        ratios.append(dlib_seconds / seconds)
    rectangles = [(d.rect.left(), d.rect.top(), d.rect.right() + 1, d.rect.bottom() + 1) for d in found]
    is_equal = [tuple(face.box_xyxy) for face in ours] == rectangles
    return Comparison(len(found), is_equal, _difference(ours, found, is_equal), dlib_seconds, tuple(ratios))


def _difference(faces: list[Face], found: dlib.mmod_rectangles, is_equal: bool) -> float:
    """Largest difference of confidence; NaN where the rectangles differ."""
    if not is_equal:
        return float("nan")
    return max((abs(f.detection_score - d.confidence) for f, d in zip(faces, found)), default=0.0)


def _summary(comparisons: list[Comparison]) -> list[object]:
    ratios = list(zip(*(comparison.ratios for comparison in comparisons)))
    return [
        len(comparisons),
        sum(comparison.n_faces for comparison in comparisons),
        sum(comparison.is_equal for comparison in comparisons),
        f"{max(comparison.difference for comparison in comparisons):.1e}",
        f"{statistics.median(comparison.dlib_seconds for comparison in comparisons):.2f}",
        *(f"{statistics.median(values):.1f} ({min(values):.1f})" for values in ratios),
    ]


if __name__ == "__main__":
    main()
