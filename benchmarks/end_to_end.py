"""Photos to embeddings: feature_extraction.py against the original loop, at equal output.

The original loop is wondonghyeon/face-classification's: face_recognition's ``face_locations`` (HOG, one upsampling),
images with exactly one face, ``face_encodings`` given that box. It runs in one process, as it did, and in several that
share the photos; the start of Python and the imports are not counted for it. Ours is the command line, start-up of
Python and of the workers included. All run in turn, round by round.

The original loop takes minutes for 2,000 photos, so that each round gives it some of them only, others in every round,
and its time is multiplied up (``--loop_images 2000``: all).

    python -m benchmarks.end_to_end --data ../shared/data [--images 2000] [--loop_images 200] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceheads.table_io import read_table

from .arguments import benchmark_parser
from .photos import link_photos, photos_in, spread
from .report import machine_line, markdown_table

REPOSITORY = Path(__file__).resolve().parents[1]
#: Number of processes of the original loop and of ours: what is compared.
PAIRS = ((1, 1), (1, 2), (2, 2))


@dataclass(frozen=True)
class LoopResult:
    """What the original loop found in photos with exactly one face: box (top, right, bottom, left) and embedding."""

    names: list[str]
    boxes: list[tuple[int, int, int, int]]
    vectors: list[np.ndarray]


def main() -> None:
    """Print the ratios, where the time goes, and how equal the outputs are."""
    args = _arguments()
    with tempfile.TemporaryDirectory() as name, _loop_processes(1) as one, _loop_processes(2) as two:
        folder, loops = Path(name), {1: one, 2: two}
        lfw = photos_in(args.data / "lfw" / "lfw-deepfunneled")
        photos = link_photos(spread(lfw, args.images), folder / "photos")
        print(f"{machine_line()}\n\n{len(photos)} photos; the original loop on {args.loop_images} of them a round\n")
        seconds = []
        for number in range(args.rounds):
            some = _some(photos, args.loop_images, number, args.rounds)
            seconds.append(
                {("loop", n): _loop_s(pool, n, some) * len(photos) / len(some) for n, pool in loops.items()}
            )
            for jobs in (1, 2):
                seconds[-1]["ours", jobs], summary = _ours(folder, jobs)
                print(f"<!-- --jobs {jobs}: {json.dumps(summary)} -->")
        print(f"\n{_table(seconds)}\n\nload now {os.getloadavg()[0]:.1f}")
        _compare(_joined(one.map(_original_loop, _parts(some, 4))), folder / "f.parquet")


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--loop_images", type=int, default=200, help="photos that the original loop gets in a round")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _some(photos: Sequence[Path], n: int, number: int, n_rounds: int) -> list[Path]:
    """``n`` photos, evenly spaced, others in each round."""
    first = number * len(photos) // n_rounds
    return spread([*photos[first:], *photos[:first]], n)


# ------------------------------------------------------------------------------------------- the original loop


@contextmanager
def _loop_processes(n_processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that have imported what the loop needs."""
    with ProcessPoolExecutor(n_processes, multiprocessing.get_context("spawn"), _import_quietly) as pool:
        list(pool.map(time.sleep, [1.0] * n_processes))
        yield pool


def _import_quietly() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import face_recognition  # noqa: F401


def _parts(photos: Sequence[Path], n: int) -> list[list[Path]]:
    return [list(photos[i::n]) for i in range(n)]


def _loop_s(pool: ProcessPoolExecutor, n_processes: int, photos: Sequence[Path]) -> float:
    """Seconds until every process is through with its share."""
    start = time.perf_counter()
    list(pool.map(_original_loop, _parts(photos, n_processes)))
    return time.perf_counter() - start


def _original_loop(photos: list[Path]) -> LoopResult:
    import face_recognition

    result = LoopResult([], [], [])
    for photo in photos:
        image = face_recognition.load_image_file(photo)
        locations = face_recognition.face_locations(image)
        if len(locations) != 1:
            continue
        result.names.append(photo.name)
        result.boxes.append(locations[0])
        vectors = face_recognition.face_encodings(image, known_face_locations=locations, model="small")
        result.vectors.append(vectors[0])
    return result


def _joined(results: Iterator[LoopResult]) -> LoopResult:
    joined = LoopResult([], [], [])
    for one in results:
        joined.names.extend(one.names)
        joined.boxes.extend(one.boxes)
        joined.vectors.extend(one.vectors)
    return joined


# ------------------------------------------------------------------------------------------------------- ours


def _ours(folder: Path, jobs: int) -> tuple[float, dict]:
    """Seconds of the whole command, and its summary."""
    start = time.perf_counter()
    command = [sys.executable, "feature_extraction.py", "--data_dir", folder / "photos", "--dataset", "folder"]
    command += ["--save_feature", folder / "f.parquet", "--overwrite", "--jobs", str(jobs), "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    summary = json.loads(done.stdout)
    return seconds, {name: summary[name] for name in ("stage_seconds", "wall_s")}


# ------------------------------------------------------------------------------------------------- comparison


def _table(rounds: Sequence[dict[tuple[str, int], float]]) -> str:
    rows = []
    for n_loop, n_ours in PAIRS:
        loop_s, ours_s = ([one[key] for one in rounds] for key in (("loop", n_loop), ("ours", n_ours)))
        ratios = [a / b for a, b in zip(loop_s, ours_s, strict=True)]
        figures = (statistics.median(loop_s), statistics.median(ours_s))
        spread_of_ratios = (statistics.median(ratios), min(ratios), max(ratios))
        rows.append([n_loop, n_ours, *(f"{s:.1f}" for s in figures), *(f"{r:.2f}" for r in spread_of_ratios)])
    header = ["processes: original loop", "ours", "original loop, s", "feature_extraction.py, s", "ratio, median"]
    return markdown_table([*header, "lowest", "highest"], rows)


def _compare(original: LoopResult, table_path: Path) -> None:
    table = read_table(table_path)
    row_of = {path: i for i, path in enumerate(table.path)}
    rows = np.array([row_of[name] for name in original.names])
    one_face = int((table.n_faces[rows] == 1).sum())
    height, width = table.image_hw[rows].T
    x0, y0, x1, y1 = table.box_xyxy[rows].T
    # face_recognition cuts boxes to the image, as (top, right, bottom, left), the far sides inclusive
    cut = np.stack([y0.clip(0), np.minimum(x1 - 1, width), np.minimum(y1 - 1, height), x0.clip(0)], axis=1)
    is_inside = (x0 >= 0) & (y0 >= 0) & (x1 - 1 <= width) & (y1 - 1 <= height)
    difference = np.abs(table.embedding[rows] - np.array(original.vectors)).max(axis=1)
    print(f"\nimages with exactly one face in the original: {len(rows)}; the same here: {one_face}")
    print(f"boxes equal to the pixel: {int((cut == np.array(original.boxes)).all(axis=1).sum())} of {len(rows)}")
    print(f"largest difference of an embedding's component: {difference[is_inside].max():.1e}")
    if not is_inside.all():
        print(
            f"  ({int((~is_inside).sum())} faces reach beyond the image: face_recognition cuts the box before it finds "
            f"landmarks, we do not; there the largest is {difference[~is_inside].max():.1e})"
        )


if __name__ == "__main__":
    main()
