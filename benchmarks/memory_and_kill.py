"""Memory that does not grow with the number of images, and runs that are killed and taken up again.

    python -m benchmarks.memory_and_kill --data ../shared/data [--images 20000] [--kills 20] [--memory] [--kill]

First one uninterrupted extraction of ``--images`` photos of LFW and UTKFace of different content; ``--memory`` prints how the
parent's resident memory grew in it. Then (``--kill``) the same photos into another table: ``kill -9`` of the whole process
group at a random moment after the run has written a shard of its own, and the command again, ``--kills`` times. A crop is
written for each face that is computed, so that the crops of a run tell which images it computed: none that lay in a shard
when it started, and few that the kill lost. With neither option both are done.

The exit code is 1 if memory grew by 100 MB or more; if a run reused nothing, computed again what lay in a shard, or lost as
much as a shard a worker; if fewer kills were made than asked for; or if the table differs from the uninterrupted one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceheads.pool import default_jobs
from faceheads.table_io import read_table
from features.extract import SHARD_SIZE

from .arguments import benchmark_parser
from .photos import link_photos, photos_in
from .report import machine_line, markdown_table

REPOSITORY = Path(__file__).resolve().parents[1]
#: What issue 2 allows the parent to grow by from the 1,000th image on, and embeddings to differ by.
MAX_GROWTH_MB = 100
EMBEDDING_TOLERANCE = 1e-6
#: Seconds between two looks at a running extraction.
LOOK_EVERY_S = 0.1


def main() -> int:
    """Print the growth of memory, the runs between the kills and the comparison; 0 if all is as promised."""
    args = _arguments()
    print(f"{machine_line()}\n", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        link_photos(_photos(args.data, args.images), folder / "photos")
        looks = _uninterrupted(folder, args.jobs)
        failures = _report_memory(looks) if args.memory else []
        if args.kill:
            failures += _report_kills(folder, args, _seconds_a_shard(looks))
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=default_jobs(), help="worker processes (default: one a core)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument("--memory", action="store_true", help="only the growth of memory")
    parser.add_argument("--kill", action="store_true", help="only the kills")
    args = parser.parse_args()
    if args.memory == args.kill:
        args.memory = args.kill = True
    least = SHARD_SIZE * max(2, args.kills if args.kill else 0)
    if args.images <= least:
        parser.error(f"each kill comes after a new shard: --images must be above {least}; got {args.images}")
    return args


def _photos(data: Path, n: int) -> list[Path]:
    """Photos of LFW and UTKFace, one of each content: what is computed twice is then never one content under two names."""
    by_content: dict[str, Path] = {}
    for photo in photos_in(data / "lfw") + photos_in(data / "utkface"):
        by_content.setdefault(hashlib.sha256(photo.read_bytes()).hexdigest(), photo)
        if len(by_content) == n:
            return list(by_content.values())
    raise SystemExit(f"--images must be at most {len(by_content)}, the photos of different content; got {n}.")


def _start(folder: Path, table: str, jobs: int, *options: str | Path) -> subprocess.Popen:
    """A run of feature_extraction.py, in a process group of its own."""
    command = [sys.executable, "feature_extraction.py", "--data_dir", folder / "photos", "--dataset", "folder"]
    command += ["--save_feature", folder / table, "--jobs", str(jobs), "--json", *options]
    with open(folder / "stderr.txt", "w", encoding="utf-8") as errors:
        return subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )


def _summary(process: subprocess.Popen, folder: Path) -> dict:
    """What a run that went to its end says of itself."""
    out = process.communicate()[0]
    if process.returncode != 0:
        raise SystemExit(
            f"feature_extraction.py failed:\n{(folder / 'stderr.txt').read_text(encoding='utf-8')[-2000:]}"
        )
    return json.loads(out)


# ------------------------------------------------------------------------------------------------ memory


@dataclass(frozen=True)
class Look:
    """A running extraction at a moment: seconds since the start, finished shards, resident megabytes of the parent."""

    time_s: float
    n_shards: int
    resident_mb: float


def _uninterrupted(folder: Path, jobs: int) -> list[Look]:
    """Make the table ``whole.parquet``, looking at it all the time."""
    process = _start(folder, "whole.parquet", jobs)
    looks: list[Look] = []
    watch = threading.Thread(target=_watch, args=(process.pid, folder / "whole.parquet.parts", looks))
    watch.start()
    summary = _summary(process, folder)
    watch.join()
    print(f"{summary['images']} images in {looks[-1].time_s:.0f} s, {jobs} worker processes", flush=True)
    return looks


def _watch(pid: int, parts: Path, looks: list[Look]) -> None:
    """Look at a process until it ends; shards that are joined at the end stay counted."""
    start, n_shards = time.perf_counter(), 0
    while (resident_mb := _resident_mb(pid)) is not None:
        n_shards = max(n_shards, len(list(parts.glob("part-*.parquet"))))
        looks.append(Look(time.perf_counter() - start, n_shards, resident_mb))
        time.sleep(LOOK_EVERY_S)


def _seconds_a_shard(looks: list[Look]) -> float:
    """On average from the first shard that was seen to the last one."""
    first, last = (next(look for look in looks if look.n_shards >= n) for n in (1, looks[-1].n_shards))
    return (last.time_s - first.time_s) / (last.n_shards - first.n_shards)


def _resident_mb(pid: int) -> float | None:
    """Resident memory of a process; None when it has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return next((int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS")), None)
    except (FileNotFoundError, ProcessLookupError):
        return None


def _report_memory(looks: list[Look]) -> list[str]:
    after_1000 = [look.resident_mb for look in looks if look.n_shards * SHARD_SIZE >= 1000]
    growth = max(after_1000) - after_1000[0]
    print(f"parent's resident memory at image 1,000: {after_1000[0]:.0f} MB, largest from there on +{growth:.0f} MB\n")
    return [f"the parent grew by {growth:.0f} MB"] if growth >= MAX_GROWTH_MB else []


# ------------------------------------------------------------------------------------------------- kills


@dataclass(frozen=True)
class Run:
    """One run between two kills, counted in images with a face.

    Attributes
    ----------
    n_reused : int
        Images that lay in shards when it started and that it did not compute.
    n_again : int
        Images that lay in shards when it started and that it computed nevertheless.
    n_saved, n_lost : int
        Images that it computed: those in shards when it ended, and the others.
    is_killed : bool
        Whether it was killed before it was done.
    """

    n_reused: int
    n_again: int
    n_saved: int
    n_lost: int
    is_killed: bool


def _report_kills(folder: Path, args: argparse.Namespace, shard_s: float) -> list[str]:
    rng = random.Random(args.seed)
    runs = [_run(folder, args.jobs, rng.uniform(0, shard_s)) for _ in range(args.kills)]
    runs.append(_run(folder, args.jobs, None))
    print("Images with a face, in each run:\n")
    rows = [
        [i + 1, "killed" if r.is_killed else "done", r.n_reused, r.n_saved + r.n_lost, r.n_again, r.n_lost]
        for i, r in enumerate(runs)
    ]
    header = ["run", "", "reused", "computed", "of them in a shard already", "lost by the kill"]
    print(markdown_table(header, rows))
    bound, losses = SHARD_SIZE * args.jobs, [run.n_lost for run in runs if run.is_killed]
    print(f"\n{len(losses)} kills; recomputed per kill: mean {np.mean(losses):.0f}, largest {max(losses)} images")
    print(f"(a shard has {SHARD_SIZE} images, a shard a worker is {bound})")
    return _failures(runs, args.kills, bound) + _compare(folder)


def _run(folder: Path, jobs: int, delay_s: float | None) -> Run:
    """Start the run that is to be killed ``delay_s`` after its first new shard, or with None to go to its end."""
    before, crops = _images_saved(folder), folder / "crops"
    process = _start(folder, "killed.parquet", jobs, "--save_crops", crops)
    is_killed = delay_s is not None and _kill(process, folder, len(_shards(folder)), delay_s)
    if not is_killed:
        _summary(process, folder)
    computed = {crop.stem for crop in crops.glob("*.png")}
    shutil.rmtree(crops, ignore_errors=True)
    after = _images_saved(folder)
    n_again, n_saved = len(computed & before), len(computed & after)
    return Run(len((before & after) - computed), n_again, n_saved, len(computed) - n_saved, is_killed)


def _kill(process: subprocess.Popen, folder: Path, n_shards: int, delay_s: float) -> bool:
    """Kill the group ``delay_s`` after a shard beyond the first ``n_shards`` is there; False if the run ends before."""
    new = folder / "killed.parquet.parts" / f"part-{n_shards:05d}.parquet"
    while process.poll() is None and not new.exists():
        time.sleep(LOOK_EVERY_S)
    try:
        process.wait(delay_s)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True


def _shards(folder: Path) -> list[Path]:
    return sorted((folder / "killed.parquet.parts").glob("*.parquet"))


def _images_saved(folder: Path) -> set[str]:
    """Images with a face in shards, or in the table when it is done."""
    whole = folder / "killed.parquet"
    tables = [read_table(path) for path in (*_shards(folder), *([whole] if whole.exists() else []))]
    return {path for table in tables for path in table.path[table.has_embedding]}


def _failures(runs: list[Run], n_kills: int, bound: int) -> list[str]:
    later = runs[1:]
    n_killed = sum(run.is_killed for run in runs)
    return [
        *([f"{n_killed} kills instead of {n_kills}: raise --images"] if n_killed < n_kills else []),
        *(["a run reused nothing"] if min(run.n_reused for run in later) == 0 else []),
        *(["images in shards were computed again"] if any(run.n_again for run in later) else []),
        *(["a kill lost a shard a worker or more"] if max(run.n_lost for run in runs) >= bound else []),
    ]


def _compare(folder: Path) -> list[str]:
    one, two = (read_table(folder / f"{name}.parquet") for name in ("whole", "killed"))
    if list(one.keys) != list(two.keys) or list(one.status) != list(two.status):
        return ["the table has other rows or statuses than the uninterrupted one"]
    difference = float(np.nanmax(np.abs(one.embedding - two.embedding)))
    print(f"same rows and statuses as uninterrupted; largest difference of a component {difference:.1e}")
    return [f"embeddings differ by {difference:.1e}"] if difference > EMBEDDING_TOLERANCE else []


if __name__ == "__main__":
    sys.exit(main())
