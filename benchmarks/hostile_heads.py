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
import sys
import warnings
from itertools import chain
from pathlib import Path

import pandas as pd

from benchmarks.hostile_files import bombs, hostile_files
from benchmarks.refusals import fault_of_message, in_own_process, report_refusals
from faceheads.headfile import HeadError
from faceheads.labels import read_labels
from faceheads.store import load_heads, save_heads
from faceheads.table_io import read_table
from faceheads.training import train_heads
from faceheads.training_options import TrainingOptions
from features.cli import annotate_main

_SAMPLE = Path(__file__).parents[1] / "faceheads" / "data"


def main() -> int:
    """Print the table; the exit code is 1 when a file was not refused as it should be."""
    return report_refusals(__doc__, _results)


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


if __name__ == "__main__":
    sys.exit(main())
