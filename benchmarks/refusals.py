"""Whether damaged and hostile files are refused as they should be: what benchmarks on them share."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from .arguments import benchmark_parser
from .report import machine_line, markdown_table

_MAX_MB = 400
#: Longest message that counts as one sentence for a person.
_MAX_LETTERS = 500


def report_refusals(module_doc: str, results_of: Callable[[Path], pd.DataFrame]) -> int:
    """Print a table of verdicts; returns the exit code, 1 when a file was not refused as it should be.

    Parameters
    ----------
    module_doc : str
        What the benchmark says of itself.
    results_of : callable
        Takes an empty folder; gives a row for each file, columns ``kind``, ``what``, ``fault`` (empty when there is none),
        ``grown_mb`` and ``seconds``.
    """
    parser = benchmark_parser(module_doc)
    parser.add_argument("--max_mb", type=float, default=_MAX_MB, help="growth of memory (default: %(default)s)")
    args = parser.parse_args()
    print(machine_line(), "\n")
    with tempfile.TemporaryDirectory() as folder:
        results = results_of(Path(folder))
    results["passes"] = (results["fault"] == "") & (results["grown_mb"] < args.max_mb)
    print(markdown_table(*_summary_by_kind(results)))
    for row in results[~results["passes"]].itertuples():
        print(f"\nnot as it should be: {row.kind}, {row.what}: {row.fault or 'memory'} ({row.grown_mb:.0f} MB)")
    return int(not results["passes"].all())


def _summary_by_kind(results: pd.DataFrame) -> tuple[list[str], list[list]]:
    """Header and rows of a table of verdicts by what was done to the files."""
    header = ["what was done", "files", "refused as they should be", "most memory, MB", "longest, s"]
    rows = [
        [kind, len(some), int(some["passes"].sum()), f"{some['grown_mb'].max():.0f}", f"{some['seconds'].max():.2f}"]
        for kind, some in [*results.groupby("kind", sort=False), ("all", results)]
    ]
    return header, rows


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
