"""Bar 1 of the extraction pipeline: faces in eight group photos, against dlib and against the tables of 2018.

    python -m benchmarks.group_photos --data ../shared/data

For each photo: faces that the HOG detector finds, faces in the table that the original pipeline wrote, boxes equal to
the pixel to those that dlib gives for the same pixels, and boxes equal to the table. Exit code 1 unless every photo
has as many faces as its table and every box equals dlib's.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import dlib
import numpy as np
import pandas as pd
from PIL import Image

from faceheads.images.reading import read_image
from features.detect.hog import HogDetector

from .arguments import benchmark_parser
from .report import machine_line, markdown_table

Box = tuple[int, int, int, int]


def main() -> int:
    """Print the table; 0 if the bar is met."""
    arguments = _parser().parse_args()
    detector = HogDetector(arguments.upsample, implementation=arguments.implementation)
    photos = sorted((arguments.data / "group_photos" / "photos").iterdir())
    rows = pd.DataFrame([_compare(detector, path) for path in photos])
    totals = ["all", *rows.drop(columns="photo").sum()]
    print(f"HOG, upsample {detector.upsample}, implementation {detector.implementation}; {machine_line()}\n")
    print(markdown_table(list(rows.columns), [*rows.itertuples(index=False), totals]))
    counts_are_equal = (rows["faces"] == rows["table of 2018"]).all()
    boxes_are_dlibs = (rows["boxes equal to dlib's"] == rows["dlib"]).all() and (rows["faces"] == rows["dlib"]).all()
    print(f"\nfaces equal photo by photo: {counts_are_equal}; every box equal to dlib's: {boxes_are_dlibs}")
    return 0 if counts_are_equal and boxes_are_dlibs else 1


def _parser() -> argparse.ArgumentParser:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--upsample", type=int, default=1, help="the tables of 2018 were made with 1")
    parser.add_argument("--implementation", choices=("auto", "numba", "dlib"), default="auto")
    return parser


def _compare(detector: HogDetector, path: Path) -> dict:
    """One row of the table."""
    found = {_inclusive(face.box_xyxy) for face in detector.detect([read_image(path).rgb])[0]}
    photo = np.array(Image.open(path).convert("RGB"))
    rectangles = dlib.get_frontal_face_detector()(photo, detector.upsample)
    reference = {(r.left(), r.top(), r.right(), r.bottom()) for r in rectangles}
    table = pd.read_csv(path.parents[1] / "expected" / f"{path.stem}.csv")
    boxes_2018 = set(table[["left", "top", "right", "bottom"]].itertuples(index=False, name=None))
    return {
        "photo": path.name,
        "faces": len(found),
        "dlib": len(reference),
        "table of 2018": len(table),
        "boxes equal to dlib's": len(found & reference),
        "boxes equal to 2018": len({_cut(box, photo.shape[:2]) for box in found} & boxes_2018),
    }


def _inclusive(box_xyxy: np.ndarray) -> Box:
    x0, y0, x1, y1 = (int(v) for v in box_xyxy)
    return x0, y0, x1 - 1, y1 - 1


def _cut(box: Box, image_hw: tuple[int, int]) -> Box:
    """The box as the original pipeline cut it: to 0 and to the image's width and height."""
    height, width = image_hw
    return max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)


if __name__ == "__main__":
    sys.exit(main())
