"""Time, memory and answers of the main stages, kept in a file from commit to commit.

Each stage runs in a process of its own on the same photos of LFW: its median CPU time an image over the rounds, its
peak memory, and four numbers that stand for all it found (boxes to the pixel, embeddings to 1e-6 on average). One line of JSON a stage is
appended to the history, with the commit, the versions and the machine; the table compares with the last line of the
same machine and the same photos. Other answers make the exit code 1: time may vary, answers may not.

    python -m benchmarks.history --data ../shared/data [--file benchmarks_history.jsonl] [--lfw 40] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from .arguments import benchmark_parser
from .photos import photos_in, spread
from .report import machine_line, markdown_table, processor

#: Stage → what makes the function that does it: images to an array of numbers, the answer.
Stage = Callable[[], Callable[[Sequence[np.ndarray]], np.ndarray]]
#: How far answers may be apart and are the same: other versions of torch add in another order.
ANSWER_TOLERANCE = 1e-6
#: ``ru_maxrss`` counts kilobytes, on macOS bytes.
BYTES_OF_MAXRSS = 1 if sys.platform == "darwin" else 1024


def main() -> None:
    """Append a line for each stage, print the comparison, end with 1 where answers changed."""
    args = _arguments()
    paths = spread(photos_in(args.data / "lfw" / "lfw-deepfunneled"), args.lfw)
    common = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": _commit(), "machine": processor()}
    common |= {"python": platform.python_version(), "versions": machine_line(), "photos": len(paths)}
    before = _last_lines(args.file, common)
    rows, has_changed = [], False
    for name in STAGES:
        record = {**common, "stage": name, **_measured(name, paths, args.rounds)}
        with open(args.file, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        rows.append(_row(record, before.get(name)))
        has_changed |= rows[-1][-1] == "CHANGED"
    print(f"{machine_line()}\n\n{len(paths)} photos, commit {common['commit']}; appended to {args.file}\n")
    print(markdown_table(["stage", "CPU ms an image", "before", "peak MB", "before", "answer"], rows))
    sys.exit(int(has_changed))


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--file", type=Path, default=Path("benchmarks_history.jsonl"))
    parser.add_argument("--lfw", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _last_lines(file: Path, common: dict) -> dict[str, dict]:
    """The last record of each stage on this machine and these photos."""
    if not file.exists():
        return {}
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    same = ("machine", "photos")
    return {r["stage"]: r for r in records if all(r[name] == common[name] for name in same)}


def _row(record: dict, before: dict | None) -> list[str]:
    row = []
    for name in ("cpu_ms", "peak_mb"):
        row += [f"{record[name]:.1f}", "" if before is None else f"{before[name]:.1f}"]
    if before is None:
        return [record["stage"], *row, "first"]
    is_same = np.allclose(record["answer"], before["answer"], rtol=ANSWER_TOLERANCE, atol=ANSWER_TOLERANCE)
    return [record["stage"], *row, "the same" if is_same else "CHANGED"]


def _measured(name: str, paths: Sequence[Path], n_rounds: int) -> dict:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_run, name, paths, n_rounds).result()


def _run(name: str, paths: Sequence[Path], n_rounds: int) -> dict:
    import torch

    from faceheads.images.reading import read_image

    torch.set_num_threads(1)
    images = [read_image(path).rgb for path in paths]
    work = STAGES[name]()
    answer = work(images)
    seconds = []
    for _ in range(n_rounds):
        start = time.process_time()
        work(images)
        seconds.append(time.process_time() - start)
    return {
        "cpu_ms": round(statistics.median(seconds) / len(images) * 1e3, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_OF_MAXRSS / 1e6, 1),
        "answer": _in_short(answer),
    }


def _in_short(answer: np.ndarray) -> list[float]:
    """Length, mean, root of the mean square, and a mean with fixed random weights, which knows the order."""
    values = answer.astype(np.float64).ravel()
    weights = np.random.default_rng(0).random(len(values))
    return [len(answer), float(values.mean()), float(np.sqrt((values**2).mean())), float((weights * values).mean())]


# ---------------------------------------------------------------------------------------------------- stages


def _detection(detector: str, **settings) -> Stage:
    def make():
        from features.detect import make_detector

        made = make_detector(detector, **settings)
        return lambda images: np.array([np.rint(f.box_xyxy) for faces in made.detect(images) for f in faces])

    return make


def _embedding(precision: str) -> Stage:
    def make():
        from features.embed import EmbedderRequest

        embedder = EmbedderRequest(precision=precision, backend="auto" if precision == "int8" else "torch").build()
        # the middle of the photo stands for a chip: LFW's photos are centred
        return lambda images: embedder.embed(np.stack([image[50:200, 50:200] for image in images]))

    return make


STAGES: dict[str, Stage] = {
    "hog": _detection("hog"),
    "hog, twice upsampled": _detection("hog", upsample=2),
    "cnn": _detection("cnn"),
    "mtcnn": _detection("mtcnn"),
    "dlib's embedding": _embedding("float32"),
    "dlib's embedding, int8": _embedding("int8"),
}


if __name__ == "__main__":
    main()
