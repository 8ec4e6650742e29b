"""Whether damaged and hostile threshold files with a bona fide head are refused, each with one sentence, without running code.

Hundreds of files are made from a good one: numbers, lists and objects of the JSON that are something else, fields that are
missing or too many, heads that are hostile themselves (benchmarks/hostile_files.py) under a sha256 that fits, heads that are
no file. Each is given to ``load_threshold`` in a process of its own. It passes when one sentence is said, nothing is executed
and the peak of memory grows by less than ``--max_mb``. Needs no photos.

    python -m benchmarks.hostile_thresholds
"""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.headfile import HeadFile
from faceheads.store import save_heads
from faceheads.table_io import read_table
from faceheads.training import train_heads
from faceheads.training_options import TrainingOptions
from faceheads.verification.bona_fide_check import BonaFideCheck
from faceheads.verification.bona_fide_file import head_path
from faceheads.verification.bona_fide_head import BonaFideHead
from faceheads.verification.comparisons import Comparisons
from faceheads.verification.rules import Request
from faceheads.verification.threshold_file import ThresholdError, ThresholdFile, load_threshold, save_threshold
from faceheads.verification.threshold_tuning import tune_threshold

from .hostile_files import bombs, hostile_files
from .refusals import fault_of_message, in_own_process, report_refusals

_SAMPLE = Path(__file__).parents[1] / "faceheads" / "data" / "sample.parquet"
#: Objects whose fields anybody may name.
_OPEN = ("versions", "status_counts")
#: Of a list of points the first say all.
_MAX_ITEMS = 2


@dataclass(frozen=True)
class HostileThreshold:
    """One threshold that must be refused: what was done to it, its JSON text, and what makes its head file."""

    kind: str
    what: str
    text: str
    write_head: Callable[[Path], object]


def main() -> int:
    """Print the table; the exit code is 1 when a file was not refused as it should be."""
    return report_refusals(__doc__, _results)


def _results(folder: Path) -> pd.DataFrame:
    path, canary = folder / "t.json", folder / "canary"
    file, heads = _good_files()
    save_threshold(path, file)
    if in_own_process(lambda: _load(path))["fault"] != "it was loaded":
        raise RuntimeError("the file that is not hostile must be loaded.")
    values = json.loads(path.read_text())
    save_heads(head_path(path), heads)
    head, rows = head_path(path).read_bytes(), []
    for file in [*hostile_thresholds(values, head, canary), *_with_heads(values, bombs(head))]:
        put(file, path)
        result = in_own_process(lambda: _load(path))
        faults = [result["fault"]] + ["code was executed"] * canary.exists()
        canary.unlink(missing_ok=True)
        rows.append(
            {"kind": file.kind, "what": file.what, **result, "fault": "; ".join(fault for fault in faults if fault)}
        )
    return pd.DataFrame(rows)


def _good_files() -> tuple[ThresholdFile, HeadFile]:
    """A threshold on the sample table that ships, of people and fakes that are none, for only the file matters; and heads
    with another one beside that of the threshold, of which hostile ones are made.
    """
    table = read_table(_SAMPLE)
    table = table[table.has_embedding & (table.face_index == 0)]
    row = np.arange(len(table))
    is_fake, person = row % 4 == 3, np.array([f"person {number // 4}" for number in row], object)
    columns = {"fake": is_fake.astype(int), "number": row + 0.5, "identity": person}
    labels = pd.DataFrame(columns, index=pd.Index(table.keys))
    heads = train_heads(table, labels, TrainingOptions(("fake", "number"), head="logistic", n_resamples=10)).file
    head = BonaFideHead.of(heads)
    both = Comparisons.from_identities(table, person, "cosine", "made up", 5000, 0, is_fake)
    both = replace(both, bona_fide=head.scores(table))
    check = BonaFideCheck.fit(head, both)
    return tune_threshold(check.fused(both), None, Request("fmr", 0.1, fake_fmr=0.1), check=check), heads


def _load(path: Path) -> str:
    try:
        load_threshold(path)
    except ThresholdError as error:
        return fault_of_message(str(error))
    return "it was loaded"


def put(file: HostileThreshold, path: Path) -> None:
    """Write a threshold and its head; what was there goes."""
    path.write_text(file.text)
    head = head_path(path)
    shutil.rmtree(head) if head.is_dir() and not head.is_symlink() else head.unlink(missing_ok=True)
    file.write_head(head)


# ------------------------------------------------------------------------------------------------- making them


def hostile_thresholds(values: dict, head: bytes, canary: Path) -> Iterator[HostileThreshold]:
    """At least two hundred files, none of which is large when it is expanded.

    Parameters
    ----------
    values : dict
        The JSON of a good threshold with a bona fide head.
    head : bytes
        A head file with that of the threshold first, and another one.
    canary : Path
        What the code in the files would make.
    """
    values["bona_fide"]["sha256"] = hashlib.sha256(head).hexdigest()
    for kind, what, changed in _changed(values):
        yield HostileThreshold(kind, what, json.dumps(changed), lambda path: path.write_bytes(head))
    text = json.dumps(values)
    for length in range(0, len(text), len(text) // 20):
        yield HostileThreshold("JSON cut off", f"after {length}", text[:length], lambda path: path.write_bytes(head))
    yield from _with_heads(values, hostile_files(head, canary))
    yield HostileThreshold("no head", "missing", text, lambda path: None)
    yield HostileThreshold("no head", "a folder", text, lambda path: path.mkdir())
    yield HostileThreshold("no head", "an endless device", text, lambda path: path.symlink_to("/dev/zero"))


def _with_heads(values: dict, files: Iterator) -> Iterator[HostileThreshold]:
    for file in files:
        changed = copy.deepcopy(values)
        changed["bona_fide"]["sha256"] = hashlib.sha256(file.data).hexdigest()
        write = _writer(file.data)
        yield HostileThreshold(f"head: {file.kind}", file.what, json.dumps(changed), write)


def _writer(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def _changed(values: dict) -> Iterator[tuple[str, str, dict]]:
    """The JSON with one thing changed."""
    for way in _ways(values):
        name = ".".join(map(str, way))
        for kind, change in _changes(_at(values, way)):
            changed = copy.deepcopy(values)
            parent = _at(changed, way[:-1])
            if kind == "field missing":
                if way[-2:-1] and way[-2] in _OPEN or isinstance(parent, list):
                    continue
                del parent[way[-1]]
            else:
                parent[way[-1]] = change
            yield kind, name, changed


def _changes(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from [("number", "1"), ("number", {}), ("number", True), ("number", float("nan"))]
    if isinstance(value, (dict, list)):
        yield from [("object or list", "text"), ("object or list", 7)]
    if isinstance(value, dict):
        yield "field too many", {**value, "surprise": 1}
    yield "field missing", None


def _ways(value: object, way: tuple = ()) -> Iterator[tuple]:
    """Where the values of a tree are, but for what anybody may name, and what the digest of the specification covers."""
    items = (
        value.items() if isinstance(value, dict) else enumerate(value[:_MAX_ITEMS]) if isinstance(value, list) else ()
    )
    for name, inner in items:
        if name not in (*_OPEN, "spec"):
            yield (*way, name)
            yield from _ways(inner, (*way, name))


def _at(values: object, way: tuple) -> object:
    for name in way:
        values = values[name]
    return values


if __name__ == "__main__":
    sys.exit(main())
