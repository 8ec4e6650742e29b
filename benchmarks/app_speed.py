"""How long the app takes for a photo of a megapixel with five faces, and how it bears twenty visitors for two minutes.

    python -m benchmarks.app_speed [--data DIR] [--visitors 20] [--seconds 120]

Starts ``app.py`` with two workers. First one visitor annotates one photo of WIDER FACE, made a megapixel large, in which the detector finds five
faces, again and again: from the request to the whole answer, with the annotated PNG and the table of faces, on one machine with the server. Then
all visitors annotate and compare photos without a pause, and the server's memory is watched.
"""

from __future__ import annotations

import io
import itertools
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from .app_client import RunningApp, Visitor, running_app, sent
from .arguments import benchmark_parser
from .photos import photo_sets
from .report import machine_line, markdown_table

MEGAPIXEL = 1_000_000
N_FACES = 5
_FACES = re.compile(r"<strong>(\d+) faces?</strong>")
#: Photos that are tried until one has five faces.
_N_CANDIDATES = 400
#: Requests before the clock starts, for each worker is warm after a few.
_N_WARM = 8
_SAMPLE_S = 2.0


@dataclass
class Crowd:
    """What twenty visitors saw.

    Attributes
    ----------
    seconds : list of float
        Of each answer.
    problems : list of str
    memory : list of (float, int)
        Seconds since the start, bytes.
    """

    seconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)


def megapixel(path: Path) -> bytes:
    """A photo as a JPEG file of about a megapixel."""
    image = Image.open(path).convert("RGB")
    scale = (MEGAPIXEL / (image.width * image.height)) ** 0.5
    file = io.BytesIO()
    image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS).save(
        file, "JPEG", quality=92
    )
    return file.getvalue()


def five_faces(visitor: Visitor, photos: Sequence[Path]) -> bytes:
    """The first photo, a megapixel large, in which the app finds five faces.

    Raises
    ------
    SystemExit
        If none of the photos has so many.
    """
    for path in photos:
        data = megapixel(path)
        found = _FACES.search(annotate(visitor, data))
        if found and int(found[1]) == N_FACES:
            return data
    raise SystemExit(f"none of {len(photos)} photos shows {N_FACES} faces that the detector finds.")


def annotate(visitor: Visitor, data: bytes) -> str:
    """The page's answer about a photo."""
    return visitor.press("annotate", sent("photo.jpg", data), visitor.first_choice["Heads"])[0]


def single(visitor: Visitor, data: bytes, n: int) -> np.ndarray:
    """Seconds of ``n`` warm requests, one after the other."""
    for _ in range(_N_WARM):
        annotate(visitor, data)
    seconds = []
    for _ in range(n):
        start = time.perf_counter()
        annotate(visitor, data)
        seconds.append(time.perf_counter() - start)
    return np.array(seconds)


def crowd(app: RunningApp, photos: Sequence[bytes], n_visitors: int, duration_s: float) -> Crowd:
    """What visitors see who annotate and compare photos for so long without a pause."""
    seen, start = Crowd(), time.monotonic()
    threads = [
        threading.Thread(
            target=_visit, args=(app.url, itertools.cycle(photos[i:] + photos[:i]), start + duration_s, seen)
        )
        for i in range(n_visitors)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen.memory.append((time.monotonic() - start, app.resident_bytes()))
        time.sleep(_SAMPLE_S)
    return seen


def _visit(url: str, photos: Iterator[bytes], until: float, seen: Crowd) -> None:
    with Visitor(url) as visitor:
        for number in itertools.count():
            if time.monotonic() >= until:
                return
            start = time.perf_counter()
            problem = _ask(visitor, photos, is_comparison=number % 3 == 2)
            seen.seconds.append(time.perf_counter() - start)
            if problem:
                seen.problems.append(problem)


def _ask(visitor: Visitor, photos: Iterator[bytes], is_comparison: bool) -> str:
    """Ask once; what is wrong with the answer, empty where nothing is."""
    try:
        if is_comparison:
            pair = [sent("photo.jpg", next(photos)) for _ in range(2)]
            shown = visitor.press("compare", *pair, visitor.first_choice["Compared by"])[0]
            return "" if "fh-answer" in shown or "No face was found" in shown else shown[:200]
        shown = annotate(visitor, next(photos))
    except (httpx.HTTPError, RuntimeError) as error:
        return str(error)[:200]
    return "" if "fh-photo" in shown else shown[:200]


def memory_in_words(memory: Sequence[tuple[float, int]]) -> str:
    """The largest memory of each half of the time."""
    last = memory[-1][0]
    early = max(n for at, n in memory if at <= last / 2)
    late = max(n for at, n in memory if at > last / 2)
    return f"{early / 1e6:.0f} MB at most in the first half, {late / 1e6:.0f} MB in the second"


def main() -> int:
    """Run the benchmark; exit code 1 where a visitor saw an error."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--requests", type=int, default=60, help="of the single visitor (default: %(default)s)")
    args = parser.parse_args()
    sets = photo_sets(args.data, 12, 4, _N_CANDIDATES)
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder), ["--rate", "0", "--jobs", "2"]) as app:
        with Visitor(app.url) as visitor:
            photo = five_faces(visitor, sets["WIDER FACE"])
            seconds = single(visitor, photo, args.requests)
        print(
            f"one visitor, {args.requests} requests: p50 {np.median(seconds):.3f} s, p95 {np.quantile(seconds, 0.95):.3f} s"
        )
        photos = [photo, *(path.read_bytes() for path in (*sets["LFW"], *sets["group photos"]))]
        seen = crowd(app, photos, args.visitors, args.seconds)
        left = [path.name for path in app.folder.rglob("*") if path.is_file()]
    rows = [
        ["one megapixel, five faces, p50", f"{np.median(seconds):.3f} s"],
        ["p95", f"{np.quantile(seconds, 0.95):.3f} s"],
        [f"answers to {args.visitors} visitors in {args.seconds:.0f} s", f"{len(seen.seconds)}"],
        ["of them errors", f"{len(seen.problems)}"],
        ["p50, p95 of their answers", f"{np.median(seen.seconds):.2f} s, {np.quantile(seen.seconds, 0.95):.2f} s"],
        ["memory of the server", memory_in_words(seen.memory)],
        ["files left", f"{len(left)}"],
    ]
    print(markdown_table(["what", "result"], rows))
    print(f"\n{machine_line()}")
    for problem in seen.problems[:5]:
        print(f"ERROR {problem}")
    return int(bool(seen.problems or left))


if __name__ == "__main__":
    sys.exit(main())
