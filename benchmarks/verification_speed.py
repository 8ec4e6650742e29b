"""Time and memory of verification and identification on made-up faces, each run in a process of its own.

    python -m benchmarks.verification_speed [--n_pairs 5000000] [--n_images 20000] [--n_all 0]

``--n_all 100000`` also counts every pair of so many images (5 billion), which takes minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.labels import write_labels
from faceheads.spec import EmbedderSpec, TableSpec
from faceheads.table import FaceTable, Status
from faceheads.table_io import write_table
from faceheads.verification.identification import search

from .report import machine_line, markdown_table

_DIMENSION = 128
_N_PHOTOS = 4
_NOISE = 0.6
_GIB = 2**20  # of what getrusage counts, KiB


def main() -> None:
    """Print a table of times and memory."""
    args = _arguments()
    if args.identify:
        _identify(args.n_images)
        return
    print(f"{machine_line()}\n")
    with tempfile.TemporaryDirectory() as folder:
        rows = [_verification(Path(folder), 50_000, args.n_pairs)]
        if args.n_all:
            rows.append(_verification(Path(folder), args.n_all, "all"))
    rows.append(_identification(args.n_images))
    print(markdown_table(["what", "seconds", "most memory, GiB"], rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n_pairs", type=int, default=5_000_000)
    parser.add_argument("--n_images", type=int, default=20_000, help="of gallery and of probes")
    parser.add_argument("--n_all", type=int, default=0, help="images of which every pair is counted")
    parser.add_argument("--identify", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _faces(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings, float32, and identities of photos of people."""
    rng = np.random.default_rng(seed)
    person = np.arange(n) // _N_PHOTOS
    centres = rng.normal(0, 1, (person[-1] + 1, _DIMENSION))
    vectors = centres[person] + rng.normal(0, _NOISE * np.sqrt(2), (n, _DIMENSION))
    return vectors.astype(np.float32), np.array([f"p{p:06d}" for p in person], object)


def _write_table(folder: Path, n: int) -> None:
    vectors, names = _faces(n)
    embedder = EmbedderSpec("made-up", "ab" * 32, _DIMENSION, "none")
    table = FaceTable(
        path=np.array([f"{name}/{i}.jpg" for i, name in enumerate(names)], object),
        sha256=np.array([f"{i:064x}" for i in range(n)], object),
        face_index=np.zeros(n),
        n_faces=np.ones(n),
        image_hw=np.full((n, 2), 100),
        box_xyxy=np.tile([0, 0, 50, 50], (n, 1)),
        landmarks_xy=np.zeros((n, 5, 2)),
        detection_score=np.ones(n),
        status=np.full(n, Status.OK.value, object),
        reason=np.full(n, "", object),
        embedding=vectors,
        spec=TableSpec(embedder, "none"),
    )
    write_table(folder / "faces.parquet", table)
    write_labels(folder / "labels.csv", pd.DataFrame({"identity": names}, index=pd.Index(table.path, name="path")))


def _verification(folder: Path, n: int, n_pairs: int | str) -> list[str]:
    _write_table(folder, n)
    options = ["--feature", folder / "faces.parquet", "--identity", folder / "labels.csv", "--max_pairs", n_pairs]
    command = [sys.executable, "verify.py", *map(str, options), "--report", str(folder / "report")]
    seconds, memory = _measured(command)
    what = f"{n_pairs:,}" if isinstance(n_pairs, int) else f"all {n * (n - 1) // 2:,}"
    return [f"verify.py: {what} pairs of {n:,} images scored and reported, with pictures", seconds, memory]


def _identification(n: int) -> list[str]:
    command = [sys.executable, "-m", "benchmarks.verification_speed", "--identify", "--n_images", str(n)]
    seconds, memory = _measured(command)
    return [f"identification: {n:,} probes in a gallery of {n:,} images, start-up included", seconds, memory]


def _identify(n: int) -> None:
    vectors, names = _faces(2 * n)
    is_probe = np.arange(2 * n) % 2 == 0
    found = search(vectors[is_probe], names[is_probe], vectors[~is_probe], names[~is_probe])
    found.macro_f1(0.5)
    if found.cmc()[0] < 0.5:
        raise RuntimeError("the right people were not found")


def _measured(command: list[str]) -> tuple[str, str]:
    """Wall time and peak memory of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} failed")
    return f"{seconds:.1f}", f"{usage.ru_maxrss / _GIB:.2f}"


if __name__ == "__main__":
    main()
