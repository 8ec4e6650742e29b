"""Photos to embeddings: feature_extraction.py against the original loop, at equal output.

The original loop is wondonghyeon/face-classification's: face_recognition's ``face_locations`` (HOG, one upsampling),
images with exactly one face, ``face_encodings`` given that box, one process. Ours is the command line, start-up of
Python and of the workers included. The two run in turn.

    python -m benchmarks.end_to_end --data ../shared/data [--images 1000] [--rounds 3] [--jobs 2]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from faceheads.table_io import read_table

from .arguments import benchmark_parser
from .photos import link_photos, photos_in, spread
from .report import machine_line, markdown_table

REPOSITORY = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print the ratio of the two, where the time goes, and how equal the outputs are."""
    args = _arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lfw = photos_in(args.data / "lfw" / "lfw-deepfunneled")
        photos = link_photos(spread(lfw, args.images), folder / "photos")
        rounds = [_round(folder, photos, args.jobs) for _ in range(args.rounds)]
        print(f"{machine_line()}\n")
        print(f"{len(photos)} photos, {args.jobs} worker processes; seconds of wall time\n")
        rows = [[f"{a:.1f}", f"{b:.1f}", f"{a / b:.2f}"] for a, b, _ in rounds]
        print(markdown_table(["original loop", "feature_extraction.py", "ratio"], rows))
        print(f"\nmedian ratio {np.median([a / b for a, b, _ in rounds]):.2f}")
        print(f"stages, seconds over all workers: {json.dumps(rounds[-1][2]['stage_seconds'])}")
        _compare(folder)


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def _round(folder: Path, photos: list[Path], jobs: int) -> tuple[float, float, dict]:
    start = time.perf_counter()
    _original_loop(photos, folder / "original.npz")
    original_s = time.perf_counter() - start
    start = time.perf_counter()
    command = [sys.executable, "feature_extraction.py", "--data_dir", folder / "photos", "--dataset", "folder"]
    command += ["--save_feature", folder / "f.parquet", "--overwrite", "--jobs", str(jobs), "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return original_s, time.perf_counter() - start, json.loads(done.stdout)


def _original_loop(photos: list[Path], output: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import face_recognition
    names, boxes, vectors = [], [], []
    for photo in photos:
        image = face_recognition.load_image_file(photo)
        locations = face_recognition.face_locations(image)
        if len(locations) != 1:
            continue
        names.append(photo.name)
        boxes.append(locations[0])
        vectors.append(face_recognition.face_encodings(image, known_face_locations=locations, model="small")[0])
    np.savez(output, names=names, boxes=boxes, vectors=vectors)


def _compare(folder: Path) -> None:
    original = np.load(folder / "original.npz")
    table = read_table(folder / "f.parquet")
    row_of = {path: i for i, path in enumerate(table.path)}
    rows = np.array([row_of[name] for name in original["names"]])
    one_face = int((table.n_faces[rows] == 1).sum())
    height, width = table.image_hw[rows].T
    x0, y0, x1, y1 = table.box_xyxy[rows].T
    # face_recognition cuts boxes to the image, as (top, right, bottom, left), the far sides inclusive
    cut = np.stack([y0.clip(0), np.minimum(x1 - 1, width), np.minimum(y1 - 1, height), x0.clip(0)], axis=1)
    is_inside = (x0 >= 0) & (y0 >= 0) & (x1 - 1 <= width) & (y1 - 1 <= height)
    difference = np.abs(table.embedding[rows] - original["vectors"]).max(axis=1)
    print(f"\nimages with exactly one face in the original: {len(rows)}; the same here: {one_face}")
    print(f"boxes equal to the pixel: {int((cut == original['boxes']).all(axis=1).sum())} of {len(rows)}")
    print(f"largest difference of an embedding's component: {difference[is_inside].max():.1e}")
    if not is_inside.all():
        print(
            f"  ({int((~is_inside).sum())} faces reach beyond the image: face_recognition cuts the box before it finds "
            f"landmarks, we do not; there the largest is {difference[~is_inside].max():.1e})"
        )


if __name__ == "__main__":
    main()
