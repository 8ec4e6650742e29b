"""Memory that does not grow with the number of images, and runs that are killed and taken up again.

    python -m benchmarks.memory_and_kill --data ../shared/data [--images 20000] [--kills 20]

First one uninterrupted extraction of ``--images`` photos of LFW and UTKFace, the parent's resident memory sampled while it
runs. Then the same in another folder with ``kill -9`` of the whole process group at random moments, taken up each time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from faceheads.table_io import read_table

from .report import machine_line

REPOSITORY = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print the growth of memory and the comparison of the two tables."""
    args = _arguments()
    print(f"{machine_line()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _link_photos(args.data, folder / "photos", args.images)
        wall_s = _uninterrupted(folder)
        _killed(folder, args.kills, wall_s, random.Random(args.seed))
        _compare(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _link_photos(data: Path, target: Path, n: int) -> None:
    photos = sorted((data / "lfw").rglob("*.jpg")) + sorted((data / "utkface").rglob("*.jpg"))
    target.mkdir()
    for i, photo in enumerate(photos[:n]):
        (target / f"{i:06d}.jpg").symlink_to(photo.resolve())


def _command(folder: Path, output: str) -> list:
    command = [sys.executable, "feature_extraction.py", "--data_dir", folder / "photos", "--dataset", "folder"]
    return [*command, "--save_feature", folder / output, "--json"]


def _uninterrupted(folder: Path) -> float:
    start = time.perf_counter()
    process = subprocess.Popen(_command(folder, "whole.parquet"), cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=-3)
    samples: list[tuple[int, int]] = []
    thread = threading.Thread(target=_sample, args=(process.pid, folder / "whole.parquet.parts", samples))
    thread.start()
    out = process.communicate()[0]
    thread.join()
    wall_s = time.perf_counter() - start
    after_1000 = [rss for n, rss in samples if n >= 1000]
    if len(after_1000) < 2:
        raise SystemExit("too few images to see memory between the 1,000th and the last: raise --images")
    growth = max(after_1000) - after_1000[0]
    print(f"{json.loads(out)['images']} images in {wall_s:.0f} s")
    print(f"parent's resident memory at image 1,000: {after_1000[0]:.0f} MB, largest from there on +{growth:.0f} MB")
    return wall_s


def _sample(pid: int, parts: Path, samples: list[tuple[int, int]]) -> None:
    """Resident megabytes of a process and the number of images in finished shards, until it ends."""
    while True:
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                rss = [int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS")]
        except FileNotFoundError:
            return
        if not rss:
            return
        n_images = 512 * len(list(parts.glob("part-*.parquet"))) if parts.is_dir() else 0
        samples.append((n_images if n_images or not samples else samples[-1][0], rss[0]))
        time.sleep(0.2)


def _killed(folder: Path, n_kills: int, wall_s: float, rng: random.Random) -> None:
    n_early = 0
    for _ in range(n_kills):
        process = subprocess.Popen(
            _command(folder, "killed.parquet"), cwd=REPOSITORY, stdout=-3, stderr=-3, start_new_session=True
        )
        try:
            process.wait(rng.uniform(1, 2 * wall_s / n_kills))
            n_early += 1
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    done = subprocess.run(
        _command(folder, "killed.parquet"), cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    summary = json.loads(done.stdout)
    print(f"killed {n_kills - n_early} times (the run was over before the kill {n_early} times)")
    print(f"last run: computed {summary['computed']}, reused {summary['reused']}")


def _compare(folder: Path) -> None:
    one, two = (read_table(folder / f"{name}.parquet") for name in ("whole", "killed"))
    same_keys = list(one.keys) == list(two.keys) and list(one.status) == list(two.status)
    difference = np.nanmax(np.abs(one.embedding - two.embedding)) if same_keys else float("nan")
    print(f"same rows and statuses: {same_keys}; largest difference of an embedding's component {difference:.1e}")


if __name__ == "__main__":
    main()
