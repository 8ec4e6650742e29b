"""Damaged and hostile head files, made from a good one: whatever can be changed and still sealed with a fitting checksum.

Every file must be refused. Those that try to run code leave a *canary*, a file that must not exist afterwards.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np

_SCHEMA = "schema.json"
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class HostileFile:
    """One file that must be refused: what was done to it, the ending of its name, its bytes."""

    kind: str
    what: str
    data: bytes
    suffix: str = ".skops"


class Canary:
    """An object whose pickle makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return open, (str(self.path), "w")


def hostile_files(good: bytes, canary: Path) -> Iterator[HostileFile]:
    """At least one hundred files, none of which is large when it is expanded.

    Parameters
    ----------
    good : bytes
        A head file (``.skops``) with a head for two classes first.
    canary : Path
        What the code in the files would make.
    """
    yield from _flipped(good)
    yield from _cut(good)
    yield from _pickles(good, canary)
    yield from _forged_types(good, canary)
    yield from _names(good)
    yield from _arrays(good, canary)
    yield from _descriptions(good)
    yield from _golden(good)


# ------------------------------------------------------------------------------------------------- taking apart


def entries_of(data: bytes) -> dict[str, bytes]:
    """Name and content of every entry of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sealed(entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of the entries with a checksum that fits."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return resealed(buffer.getvalue()[:-2])


def resealed(body: bytes) -> bytes:
    """A zip file, without the two bytes of its comment's length, with a checksum that fits."""
    body += struct.pack("<H", 64)
    return body + hashlib.sha256(body).hexdigest().encode()


def with_entries(good: bytes, **entries: bytes) -> bytes:
    """The file with other or more entries; ``_`` in a name stands for the dot."""
    return sealed({**entries_of(good), **{name.replace("_npy", ".npy"): value for name, value in entries.items()}})


def with_schema(good: bytes, change: Callable[[dict], None]) -> bytes:
    """The file with a changed schema."""
    entries = entries_of(good)
    schema = json.loads(entries[_SCHEMA])
    change(schema)
    return sealed({**entries, _SCHEMA: json.dumps(schema).encode()})


def with_description(good: bytes, change: Callable[[dict], None]) -> bytes:
    """The file with a changed description: the JSON text with targets, thresholds and versions."""

    def edit(schema: dict) -> None:
        node = schema["content"]["description"]
        values = json.loads(json.loads(node["content"]))
        change(values)
        node["content"] = json.dumps(json.dumps(values))

    return with_schema(good, edit)


def nodes(schema: dict, loader: str) -> list[dict]:
    """The nodes of the schema with a loader."""
    found, stack = [], [schema]
    while stack:
        value = stack.pop()
        stack.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
        if isinstance(value, dict) and value.get("__loader__") == loader:
            found.append(value)
    return found


def _first(schema: dict, attribute: str) -> dict:
    """The node of the first fitted attribute of a name."""
    found = (node["content"] for node in nodes(schema, "DictNode"))
    return next(content[attribute] for content in found if attribute in content)


def npy(array: np.ndarray, allow_pickle: bool = False) -> bytes:
    """The bytes of an array."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def _array_file(good: bytes, name: str) -> str:
    """The entry of an array that is a value of the archive itself, such as ``golden_inputs``."""
    return json.loads(entries_of(good)[_SCHEMA])["content"][name]["file"]


# ------------------------------------------------------------------------------------------------- damage


def _flipped(good: bytes) -> Iterator[HostileFile]:
    rng = np.random.default_rng(0)
    for i, n_bytes in enumerate([1] * 10 + [100] * 4):
        data = bytearray(good)
        for place in rng.integers(0, len(data), n_bytes):
            data[place] ^= int(rng.integers(1, 256))
        yield HostileFile("flipped bytes", f"{n_bytes} of them, draw {i}", bytes(data))


def _cut(good: bytes) -> Iterator[HostileFile]:
    for length in (0, 1, 4, 30, 64, 1000, len(good) // 2, len(good) - 64, len(good) - 1):
        yield HostileFile("cut", f"after {length} bytes", good[:length])
    yield HostileFile("cut", "bytes added at the end", good + b"more")
    yield HostileFile("cut", "bytes added in front", b"more" + good)


def _pickles(good: bytes, canary: Path) -> Iterator[HostileFile]:
    bait = {"description": "{}", "x": Canary(canary)}
    for protocol in range(6):
        yield HostileFile("renamed pickle", f"protocol {protocol}", pickle.dumps(bait, protocol))
    yield HostileFile("renamed pickle", "as .pkl, without --trust", pickle.dumps(bait), ".pkl")
    buffer = io.BytesIO()
    joblib.dump(bait, buffer)
    yield HostileFile("renamed pickle", "joblib", buffer.getvalue())
    yield HostileFile("renamed pickle", "joblib as .joblib, without --trust", buffer.getvalue(), ".joblib")
    for name, compress in (("gzip", gzip.compress), ("bzip2", bz2.compress)):
        yield HostileFile("renamed pickle", name, compress(pickle.dumps(bait)))
    yield HostileFile("renamed pickle", "with the first bytes of a zip file", b"PK\x03\x04" + pickle.dumps(bait))
    yield HostileFile(
        "renamed pickle", "in the place of an array", with_entries(good, **{"0_npy": pickle.dumps(bait)})
    )
    yield HostileFile("renamed pickle", "in the place of the schema", sealed({_SCHEMA: pickle.dumps(bait)}))


def _forged_types(good: bytes, canary: Path) -> Iterator[HostileFile]:
    command = f"open({str(canary)!r}, 'w')"
    forged = {
        "os.system": {"__module__": "os", "__class__": "system"},
        "builtins.eval": {"__module__": "builtins", "__class__": "eval", "content": command},
        "a function": {"__loader__": "FunctionNode", "__module__": "os", "__class__": "system", "content": command},
        "a method": {"__loader__": "MethodNode", "content": {"func": "system", "obj": {"__module__": "os"}}},
        "a partial": {"__loader__": "PartialNode", "__module__": "functools", "__class__": "partial"},
        "a reduce": {"__loader__": "ReduceNode", "__module__": "os", "__class__": "system"},
        "a random generator": {
            "__loader__": "RandomStateNode",
            "__module__": "numpy.random",
            "__class__": "RandomState",
        },
        "a type": {"__loader__": "TypeNode", "__module__": "subprocess", "__class__": "Popen"},
        "an estimator that is not on the list": {
            "__module__": "sklearn.preprocessing",
            "__class__": "FunctionTransformer",
        },
        "a class name that is a list": {"__class__": ["StandardScaler"]},
        "no class name": {"__class__": None},
        "a reference": {"__id__": 1},
    }
    for name, change in forged.items():

        def forge(schema: dict, change: dict = change) -> None:
            nodes(schema, "ObjectNode")[0].update(change)

        yield HostileFile("forged type", name, with_schema(good, forge))


# ------------------------------------------------------------------------------------------------- size


def bombs(good: bytes) -> Iterator[HostileFile]:
    """Small files that would become large; making them takes seconds and 2 GB."""
    large = npy(np.zeros(12 * _MEGABYTE))
    yield HostileFile("bomb", "an array of 96 MB of zeros", with_entries(good, **{"0_npy": large}))
    many = {f"{i}_npy": npy(np.zeros(2 * _MEGABYTE + i)) for i in range(100, 150)}
    yield HostileFile("bomb", "50 arrays of 16 MB", with_entries(good, **many))
    yield HostileFile("bomb", "60,000 entries", with_entries(good, **{f"{i}_npy": b"" for i in range(100, 60_100)}))
    yield HostileFile("bomb", "a zip file in a zip file", sealed({"0.npy": good, _SCHEMA: sealed({_SCHEMA: good})}))
    size, lie = struct.pack("<I", len(large)), struct.pack("<I", 128)
    body = with_entries(good, **{"0_npy": large})[:-66].replace(size, lie)
    yield HostileFile("bomb", "an entry that claims to be small", resealed(body))
    for name, compression in (("LZMA", zipfile.ZIP_LZMA), ("bzip2", zipfile.ZIP_BZIP2)):
        yield HostileFile("bomb", name, sealed(entries_of(good), compression))
    schemas = {
        "a schema of 20 million lists": b"[" + b"[]," * (20 * _MEGABYTE) + b"[]]",
        "a schema of 60 MB of digits": b"1" * (60 * _MEGABYTE),
        "a schema of 60 MB of text": b'"' + b"a" * (60 * _MEGABYTE) + b'"',
        "a schema nested 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
        "a schema of 200 MB": b" " * (200 * _MEGABYTE) + b"{}",
    }
    for name, schema in schemas.items():
        yield HostileFile("bomb", name, sealed({**entries_of(good), _SCHEMA: schema}))


def _names(good: bytes) -> Iterator[HostileFile]:
    content = npy(np.zeros(3))
    for name in ("../../canary.npy", "/tmp/canary.npy", "..\\canary.npy", "C:/canary.npy", "a/../../b.npy", "0.npy/"):
        yield HostileFile("path", f"an entry named {name}", sealed({**entries_of(good), name: content}))
    for name in ("../../../../etc/passwd", "/dev/zero", "schema.json"):

        def point(schema: dict, name: str = name) -> None:
            nodes(schema, "NdArrayNode")[0]["file"] = name

        yield HostileFile("path", f"an array in {name}", with_schema(good, point))
    yield HostileFile("path", "an entry that nothing uses", with_entries(good, **{"77777_npy": content}))


def _arrays(good: bytes, canary: Path) -> Iterator[HostileFile]:
    four = npy(np.zeros(4))
    forged = {
        "a terabyte": four.replace(b"(4,)", b"(1099511627776,)"),
        "more than an address": four.replace(b"(4,)", b"(9223372036854775807, 9223372036854775807)"),
        "a negative size": four.replace(b"(4,)", b"(-4,)"),
        "a size that is no number": four.replace(b"(4,)", b"('a',)"),
        "less than it claims": four[:-8],
        "more than it claims": four + bytes(8),
        "objects": npy(np.array([Canary(canary)], object), allow_pickle=True),
        "a header that is code": four.replace(b"(4,)", b"(__import__('os').system('x'),)"),
        "a header of a megabyte": four[:8] + struct.pack("<H", 65_535) + b"(" * 65_535,
        "an unknown format": b"\x93NUMPY\x09\x00" + four[8:],
        "text": b"not an array",
        "nothing": b"",
    }
    for name, content in forged.items():
        yield HostileFile("array", name, with_entries(good, **{"0_npy": content}))
    wide = with_entries(
        good, **{_array_file(good, "golden_inputs").replace(".npy", "_npy"): npy(np.zeros((3, 9), "f4"))}
    )
    yield HostileFile("array", "golden vectors of another length", wide)


# ------------------------------------------------------------------------------------------------- meaning


def _descriptions(good: bytes) -> Iterator[HostileFile]:
    changes: dict[str, Callable[[dict], None]] = {
        "another format version": lambda d: d.update(format_version=99),
        "no heads": lambda d: d.update(heads=[]),
        "no format version": lambda d: d.pop("format_version"),
        "another dimension": lambda d: d.update(dimension=1),
        "a dimension of 10^18": lambda d: d.update(dimension=10**18),
        "another digest": lambda d: d.update(embedder_digest="0" * 16),
        "a specification that is text": lambda d: d.update(table_spec="dlib"),
        "a class less": lambda d: d["heads"][0]["target"]["classes"].pop(),
        "a class more": lambda d: d["heads"][0]["target"]["classes"].append("another"),
        "one class twice": lambda d: d["heads"][0]["target"].update(classes=["male", "male"]),
        "classes that are lists": lambda d: d["heads"][0]["target"].update(classes=[["male"], ["female"]]),
        "a task that does not exist": lambda d: d["heads"][0]["target"].update(task="clustering"),
        "classes as a number": lambda d: d["heads"][0]["target"].update(task="regression"),
        "columns that are a number": lambda d: d["heads"][0]["target"].update(columns=3),
        "two heads of one name": lambda d: d["heads"][1]["target"].update(d["heads"][0]["target"]),
        "a threshold that is no number": lambda d: d["heads"][0].update(thresholds=[float("nan")]),
        "an infinite threshold": lambda d: d["heads"][0].update(thresholds=[float("inf")]),
        "a threshold of 7": lambda d: d["heads"][0].update(thresholds=[7.0]),
        "two thresholds": lambda d: d["heads"][0].update(thresholds=[0.5, 0.5]),
        "a threshold that is text": lambda d: d["heads"][0].update(thresholds=["high"]),
        "a margin that is no number": lambda d: d["heads"][0].update(unsure_margin=float("nan")),
        "a negative margin": lambda d: d["heads"][0].update(unsure_margin=-1.0),
        "thresholds by a cohort of itself": lambda d: d["heads"][0].update(
            by_cohort={"target": d["heads"][0]["target"]["name"], "values": [0.5, 0.5]}
        ),
        "no versions": lambda d: d.pop("versions"),
    }
    for name, change in changes.items():
        yield HostileFile("description", name, with_description(good, change))


def _golden(good: bytes) -> Iterator[HostileFile]:
    inputs = _array_file(good, "golden_inputs")
    values = np.load(io.BytesIO(entries_of(good)[inputs]))
    forged = {
        "other inputs": values + np.float32(3),
        "inputs that are no numbers": np.full_like(values, np.nan),
        "inputs of another type": values.astype(np.float64),
        "ten million inputs": np.zeros((10 * _MEGABYTE // values.shape[1], values.shape[1]), np.float32),
        "no inputs": values[:0],
        "a flat list": values.ravel(),
    }
    for name, array in forged.items():
        yield HostileFile("golden vectors", name, with_entries(good, **{inputs.replace(".npy", "_npy"): npy(array)}))
    for what in ("coef_", "mean_", "scale_"):
        name = _first(json.loads(entries_of(good)[_SCHEMA]), what)["file"]
        array = np.load(io.BytesIO(entries_of(good)[name]))
        changed = with_entries(good, **{name.replace(".npy", "_npy"): npy(2 * array + 1)})
        yield HostileFile("golden vectors", f"another {what}", changed)
