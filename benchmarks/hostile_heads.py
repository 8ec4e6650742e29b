"""Whether damaged and hostile head files are refused, each with one sentence, without running code or taking memory.

More than a hundred files (benchmarks/hostile_files.py: flipped and missing bytes, renamed pickles, forged types, zip
bombs, names that leave the folder, arrays that lie about their size, contradicting descriptions, other results than
promised) are made from a good one and given to ``load_heads`` and to ``pred.py``, each in a process of its own. A file
passes when both say one sentence, nothing is executed (no canary appears) and the peak of memory grows by less than
``--max_mb``. Needs no photos.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pandas as pd

from benchmarks.arguments import benchmark_parser
from benchmarks.hostile_files import bombs, hostile_files
from benchmarks.report import machine_line, markdown_table
from faceheads.headfile import HeadError
from faceheads.labels import read_labels
from faceheads.store import load_heads, save_heads
from faceheads.table_io import read_table
from faceheads.training import train_heads
from faceheads.training_options import TrainingOptions
from features.cli import annotate_main

_SAMPLE = Path(__file__).parents[1] / "faceheads" / "data"
_MAX_MB = 400
#: Longest message that counts as one sentence for a person.
_MAX_LETTERS = 500


def main() -> int:
    """Print the table; the exit code is 1 when a file was not refused as it should be."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--max_mb", type=float, default=_MAX_MB, help="growth of memory (default: %(default)s)")
    args = parser.parse_args()
    print(machine_line(), "\n")
    with tempfile.TemporaryDirectory() as folder:
        results = _results(Path(folder))
    results["passes"] = (results["fault"] == "") & (results["grown_mb"] < args.max_mb)
    print(markdown_table(*summary_by_kind(results)))
    for row in results[~results["passes"]].itertuples():
        print(f"\nnot as it should be: {row.kind}, {row.what}: {row.fault or 'memory'} ({row.grown_mb:.0f} MB)")
    return int(not results["passes"].all())


def summary_by_kind(results: pd.DataFrame) -> tuple[list[str], list[list]]:
    """Header and rows of a table of verdicts by what was done to the files."""
    header = ["what was done", "files", "refused as they should be", "most memory, MB", "longest, s"]
    rows = [
        [kind, len(some), int(some["passes"].sum()), f"{some['grown_mb'].max():.0f}", f"{some['seconds'].max():.2f}"]
        for kind, some in [*results.groupby("kind", sort=False), ("all", results)]
    ]
    return header, rows


def _results(folder: Path) -> pd.DataFrame:
    canary = folder / "canary"
    good = _good_file(folder)
    if in_own_process(lambda: _load(good))["fault"] != "it was loaded":
        raise RuntimeError("the file that is not hostile must be loaded.")
    rows = []
    for file in chain(hostile_files(good.read_bytes(), canary), bombs(good.read_bytes())):
        path = folder / f"hostile{file.suffix}"
        path.write_bytes(file.data)
        rows.append({"kind": file.kind, "what": file.what, **_verdict(path, canary)})
    return pd.DataFrame(rows)


def _good_file(folder: Path) -> Path:
    """Heads for classes and for a number, trained on the sample table that ships."""
    table, labels = read_table(_SAMPLE / "sample.parquet"), read_labels(_SAMPLE / "sample_labels.csv")
    options = TrainingOptions(targets=("gender", "age"), head="logistic", n_resamples=50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = train_heads(table, labels, options)
    save_heads(folder / "good.skops", result.file)
    return folder / "good.skops"


def _verdict(path: Path, canary: Path) -> dict:
    loaded, commanded = (in_own_process(lambda f=f: f(path)) for f in (_load, _command))
    faults = [result["fault"] for result in (loaded, commanded)]
    if canary.exists():
        canary.unlink()
        faults.append("code was executed")
    grown = max(result["grown_mb"] for result in (loaded, commanded))
    seconds = max(result["seconds"] for result in (loaded, commanded))
    return {"fault": "; ".join(fault for fault in faults if fault), "grown_mb": grown, "seconds": seconds}


def _load(path: Path) -> str:
    try:
        load_heads(path)
    except HeadError as error:
        return fault_of_message(str(error))
    return "it was loaded"


def _command(path: Path) -> str:
    """What is wrong with the way ``pred.py`` refuses the file."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        code = annotate_main(["--img_dir", str(path.parent), "--output_dir", str(path.parent), "--model", str(path)])
    return "the exit code is not 2" if code != 2 else fault_of_message(said.getvalue().strip())


def fault_of_message(message: str) -> str:
    """What is wrong with a message that should be one sentence; empty when nothing is."""
    is_one = 0 < len(message) <= _MAX_LETTERS and "\n" not in message and "Traceback" not in message
    return "" if is_one else f"it says: {message[:200]!r}"


def in_own_process(work: Callable[[], str]) -> dict:
    """What ``work`` returned in a forked process, by how much that one's peak of memory grew, and how long it took."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _report(work, writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    died = {"fault": "another error escaped, or the process died", "grown_mb": float("nan"), "seconds": float("nan")}
    return json.loads(told) if told else died


def _report(work: Callable[[], str], pipe: int) -> None:
    start, before = time.perf_counter(), _peak_mb()
    try:
        fault = work()
        told = {"fault": fault, "grown_mb": _peak_mb() - before, "seconds": time.perf_counter() - start}
        os.write(pipe, json.dumps(told).encode())
    finally:
        os._exit(0)  # another error tells nothing, which is noticed


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    sys.exit(main())
