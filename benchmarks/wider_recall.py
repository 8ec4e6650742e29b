"""How many faces of WIDER FACE each detector finds, how many of its detections are faces, and what a photo costs.

    python -m benchmarks.wider_recall [--photos 200] [--detectors "hog, upsample 1" mtcnn]

An annotated face is found when a detection overlaps it by an intersection over union of 0.5 (``--min_iou``). Faces that
WIDER FACE marks as invalid or that are lower than 20 pixels need not be found, and a detection that finds one is neither
right nor wrong. dlib's boxes are squares from the brows to the chin, WIDER FACE's reach from the hair to the chin: part of
what dlib's detectors miss here is found, but with a box that overlaps too little; ``--min_iou 0.3`` shows how many.
Every photo goes through all detectors in turn, one thread each, so that what else the machine does slows all alike.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

# Before torch is imported: a thread that waits must not take the core from the one that works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np
import torch

from faceheads.images.reading import read_image
from faceheads.metrics.detection import NO_FACE, match_detections
from features.detect import make_detector
from features.face import Detector

from .arguments import benchmark_parser
from .photos import spread
from .report import machine_line, markdown_table

#: A column of recall for the faces that are at least so high, in pixels.
HEIGHTS_PX = (20, 40, 80)
DETECTORS = {
    "hog, upsample 0": ("hog", {"upsample": 0}),
    "hog, upsample 1": ("hog", {"upsample": 1}),
    "hog, upsample 2": ("hog", {"upsample": 2}),
    "cnn": ("cnn", {"upsample": 0}),
    "cnn, upsample 1": ("cnn", {"upsample": 1}),
    "mtcnn": ("mtcnn", {}),
}


@dataclass(frozen=True)
class Annotated:
    """Faces of one photo: boxes of shape (n, 4), and whether WIDER FACE marks them invalid, shape (n,)."""

    path: Path
    boxes_xyxy: np.ndarray
    is_invalid: np.ndarray

    @property
    def height_px(self) -> np.ndarray:
        """Heights of the faces; 0 for those that need not be found."""
        return np.where(self.is_invalid, 0, self.boxes_xyxy[:, 3] - self.boxes_xyxy[:, 1])


@dataclass
class Tally:
    """What one detector did on all photos."""

    found_height_px: list[float] = field(default_factory=list)
    n_wrong: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, photo: Annotated, found_xyxy: np.ndarray, min_iou: float, seconds: float) -> None:
        """Count one photo."""
        matches = match_detections(found_xyxy, photo.boxes_xyxy, min_iou)
        self.found_height_px += photo.height_px[matches[matches != NO_FACE]].tolist()
        self.n_wrong += int((matches == NO_FACE).sum())
        self.seconds.append(seconds)


def main() -> None:
    """Print a table with a line for each detector."""
    args = _arguments()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    photos = spread(read_annotations(args.data / "wider_val"), args.photos)
    detectors = {name: make_detector(DETECTORS[name][0], **DETECTORS[name][1]) for name in args.detectors}
    for detector in detectors.values():
        detector.detect([np.zeros((120, 120, 3), np.uint8)])
    tallies = {name: Tally() for name in detectors}
    for photo in photos:
        _run(photo, detectors, tallies, args.min_iou)
    heights = np.concatenate([photo.height_px for photo in photos])
    n_faces = [int((heights >= least).sum()) for least in HEIGHTS_PX]
    print(f"{machine_line()}\n\n{len(photos)} photos, intersection over union {args.min_iou}\n")
    recalls = [f"recall, ≥ {least} px ({n} faces)" for least, n in zip(HEIGHTS_PX, n_faces, strict=True)]
    header = ["detector", *recalls, "precision (detections that count)", "ms a photo: median (mean)"]
    print(markdown_table(header, [[name, *_row(tally, n_faces)] for name, tally in tallies.items()]))
    print(f"\nload now {os.getloadavg()[0]:.1f}")


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--photos", type=int, default=200, help="photos, evenly spaced")
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    parser.add_argument("--min_iou", type=float, default=0.5)
    return parser.parse_args()


def read_annotations(folder: Path) -> list[Annotated]:
    """The photos of ``wider_val_bbx_gt.txt``: a name, a count, then a line ``x y width height invalid`` for each face."""
    lines = iter((folder / "wider_val_bbx_gt.txt").read_text(encoding="utf-8").splitlines())
    photos = []
    for name in lines:
        numbers = np.array([next(lines).split()[:5] for _ in range(int(next(lines)))], float).reshape(-1, 5)
        boxes = np.concatenate([numbers[:, :2], numbers[:, :2] + numbers[:, 2:4]], axis=1)
        photos.append(Annotated(folder / "images" / name, boxes, numbers[:, 4] == 1))
    return photos


def _run(photo: Annotated, detectors: dict[str, Detector], tallies: dict[str, Tally], min_iou: float) -> None:
    pixels = read_image(photo.path).rgb
    for name, detector in detectors.items():
        start = time.perf_counter()
        faces = detector.detect([pixels])[0]
        seconds = time.perf_counter() - start
        boxes = np.array([face.box_xyxy for face in faces], float).reshape(-1, 4)
        tallies[name].add(photo, boxes, min_iou, seconds)


def _row(tally: Tally, n_faces: list[int]) -> list[str]:
    found = np.array(tally.found_height_px)
    recalls = [f"{100 * (found >= least).sum() / n:.1f} %" for least, n in zip(HEIGHTS_PX, n_faces, strict=True)]
    n_right = int((found >= HEIGHTS_PX[0]).sum())
    n_counted = n_right + tally.n_wrong
    precision = f"{100 * n_right / n_counted:.1f} % ({n_counted})" if n_counted else "none"
    times = f"{1000 * statistics.median(tally.seconds):.0f} ({1000 * statistics.mean(tally.seconds):.0f})"
    return [*recalls, precision, times]


if __name__ == "__main__":
    main()
