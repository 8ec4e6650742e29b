"""A skops archive of fitted estimators that is checked before anything in it is made.

skops loads no code, but it trusts whole packages of types, reads whatever sizes a file claims and follows references. A
head file comes from elsewhere and is small and plain, so more is refused here, before a single object is constructed:

* the checksum at its end does not fit (every byte of the file is covered);
* it is larger than :data:`MAX_FILE_BYTES`, would be larger than :data:`MAX_CONTENT_BYTES` when expanded, or more than
  :data:`MAX_EXPANSION` times as large as it is;
* its schema has more than :data:`MAX_VALUES` values, each of which takes far more memory than its text;
* it holds an entry that is neither the schema nor an array that the schema names, as :func:`pack` names it, numeric and of
  exactly the size that its header says;
* its schema names a type that is not in :data:`ALLOWED_NODES`. The list is fixed; a file cannot extend it.

Equal objects give equal bytes: identifiers that skops takes from memory addresses are replaced by counters.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from .atomic import atomic_path

#: Limits of a file from elsewhere. The largest useful head, a support vector machine on 20,000 rows of 2,000 numbers,
#: takes 160 MB.
MAX_FILE_BYTES = 512 * 1024**2
MAX_CONTENT_BYTES = 1024**3
#: Weights hardly shrink when they are compressed: what expands more, beyond what is harmless anyway, is a bomb.
MAX_EXPANSION = 20
_HARMLESS_BYTES = 64 * 1024**2
MAX_SCHEMA_BYTES = 64 * 1024**2
MAX_VALUES = 2_000_000
MAX_ENTRIES = 50_000
MAX_DEPTH = 64
_HEADER_BYTES = 65_536

_SCHEMA = "schema.json"
_CHECKSUM_LENGTH = 64
_ARRAY_NAME = re.compile(r"[0-9]{1,6}\.npy", re.ASCII)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ESTIMATORS = (
    "faceheads.distribution.DistributionRegressor",
    "sklearn.calibration.CalibratedClassifierCV",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.compose._target.TransformedTargetRegressor",
    "sklearn.decomposition._pca.PCA",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.ensemble._voting.VotingClassifier",
    "sklearn.ensemble._voting.VotingRegressor",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn.kernel_approximation.Nystroem",
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.linear_model._ridge.Ridge",
    "sklearn.linear_model._stochastic_gradient.SGDRegressor",
    "sklearn.multioutput.MultiOutputClassifier",
    "sklearn.neural_network._multilayer_perceptron.MLPClassifier",
    "sklearn.neural_network._multilayer_perceptron.MLPRegressor",
    "sklearn.pipeline.FeatureUnion",
    "sklearn.pipeline.Pipeline",
    "sklearn.preprocessing._data.StandardScaler",
    "sklearn.preprocessing._label.LabelBinarizer",
    "sklearn.preprocessing._label.LabelEncoder",
    "sklearn.svm._classes.LinearSVC",
    "sklearn.svm._classes.LinearSVR",
    "sklearn.svm._classes.SVC",
    "sklearn.svm._classes.SVR",
)
_LOSSES = ("CyHalfBinomialLoss", "CyHalfMultinomialLoss", "CyHalfSquaredError")
#: (loader, type) of every node that a head file may hold.
ALLOWED_NODES = frozenset(
    [
        ("DictNode", "builtins.dict"),
        ("JsonNode", "builtins.str"),
        ("ListNode", "builtins.list"),
        ("TupleNode", "builtins.tuple"),
        ("TypeNode", "builtins.int"),
        ("TypeNode", "builtins.str"),
    ]
    + [("NdArrayNode", f"numpy.{n}") for n in ("ndarray", "bool", "float32", "float64", "int64", "uint64")]
    + [("ObjectNode", name) for name in _ESTIMATORS]
    + [("LossNode", f"sklearn._loss._loss.{name}") for name in _LOSSES]
)
#: Types that skops must be told to trust because it does not by itself; all are in the list above.
_TRUSTED = [name for _, name in sorted(ALLOWED_NODES)]
_SKOPS_ERRORS = (
    UntrustedTypesFoundException,
    zipfile.BadZipFile,
    zlib.error,
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,  # includes RecursionError
    TypeError,
    ValueError,
)


class ArchiveError(ValueError):
    """A file is damaged or holds what a head file may not hold; the message says which."""


# ---------------------------------------------------------------------------------------------------- writing


def write_archive(path: str | os.PathLike, value: object) -> None:
    """Write ``value`` (dicts, lists, strings, numbers, arrays, allowed estimators) at ``path``, atomically.

    Raises
    ------
    ArchiveError
        If it holds a type that could not be read again.
    """
    data = pack(value)
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(data)


def pack(value: object) -> bytes:
    """The bytes of an archive; equal values give equal bytes."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(value))) as source:
        schema = json.loads(source.read(_SCHEMA))
        contents = _rename_contents(schema, source)
    _check_nodes(schema, set(contents))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in [(_SCHEMA, json.dumps(schema, indent=1).encode()), *contents.items()]:
            target.writestr(_entry(name), content, compress_type=zipfile.ZIP_DEFLATED)
    return _append_checksum(buffer.getvalue())


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.create_system = 3  # the same bytes on every platform
    return info


def _rename_contents(schema: dict, source: zipfile.ZipFile) -> dict[str, bytes]:
    """Name arrays by a counter instead of an address, equal arrays once; returns name → bytes."""
    contents: dict[str, bytes] = {}
    name_of: dict[bytes, str] = {}
    for node in _nodes(schema):
        node.pop("__id__", None)
        if "file" in node:
            content = source.read(node["file"])
            name = name_of.setdefault(hashlib.sha256(content).digest(), f"{len(name_of)}.npy")
            node["file"] = name
            contents[name] = content
    return contents


def _append_checksum(data: bytes) -> bytes:
    """Put the sha256 of everything before into the zip file's comment, whose length is in its last two bytes."""
    body = data[:-2] + struct.pack("<H", _CHECKSUM_LENGTH)
    return body + hashlib.sha256(body).hexdigest().encode()


# ---------------------------------------------------------------------------------------------------- reading


def read_archive(path: str | os.PathLike) -> object:
    """The value that :func:`write_archive` wrote.

    Raises
    ------
    ArchiveError
        If the file is missing, damaged, too large, or holds anything that is not allowed.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ArchiveError(
                f"{path} has {path.stat().st_size:,} bytes; a head file has at most {MAX_FILE_BYTES:,}."
            )
        data = path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read ({error.strerror}).") from error
    try:
        return unpack(data)
    except ArchiveError as error:
        raise ArchiveError(f"{path} is not a usable head file: {error}") from error


def unpack(data: bytes) -> object:
    """The value in the bytes of an archive.

    Raises
    ------
    ArchiveError
        If the bytes are damaged or hold anything that is not allowed.
    """
    _check_checksum(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_entries(archive, len(data))
            schema = json.loads(_checked_schema(archive.read(_SCHEMA)))
            _check_nodes(schema, {name for name in archive.namelist() if name != _SCHEMA})
            _check_arrays(archive)
        return skops.io.loads(data, trusted=_TRUSTED)
    except ArchiveError:
        raise
    except _SKOPS_ERRORS as error:
        raise ArchiveError(f"its content is damaged ({type(error).__name__}: {error}).") from error


def _check_checksum(data: bytes) -> None:
    if data[:4] != b"PK\x03\x04":
        raise ArchiveError("it is no skops archive. Files ending in .pkl or .joblib need --trust.")
    body, checksum = data[:-_CHECKSUM_LENGTH], data[-_CHECKSUM_LENGTH:]
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        raise ArchiveError("its checksum does not fit: it is damaged or was not written by faceheads. Copy it again.")


def _check_entries(archive: zipfile.ZipFile, n_bytes: int) -> None:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(entries) > MAX_ENTRIES or len(set(names)) < len(names) or _SCHEMA not in names:
        raise ArchiveError(f"it must hold {_SCHEMA} and at most {MAX_ENTRIES:,} entries of different names.")
    for entry in entries:
        if entry.filename != _SCHEMA and _ARRAY_NAME.fullmatch(entry.filename) is None:
            raise ArchiveError(f"its entry {entry.filename!r} is neither {_SCHEMA} nor an array such as 0.npy.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & 1:
            raise ArchiveError(f"its entry {entry.filename!r} is encrypted or compressed in another way than deflate.")
    total = sum(entry.file_size for entry in entries)
    if total > max(_HARMLESS_BYTES, MAX_EXPANSION * n_bytes):
        raise ArchiveError(f"it expands from {n_bytes:,} to {total:,} bytes, which no head does.")
    if total > MAX_CONTENT_BYTES or archive.getinfo(_SCHEMA).file_size > MAX_SCHEMA_BYTES:
        raise ArchiveError(f"it expands to {total:,} bytes; at most {MAX_CONTENT_BYTES:,} are allowed.")


def _checked_schema(schema: bytes) -> bytes:
    n_values = sum(schema.count(mark) for mark in (b"[", b"{", b","))
    if n_values > MAX_VALUES:
        raise ArchiveError(f"its schema has {n_values:,} values; at most {MAX_VALUES:,} are allowed.")
    return schema


def _check_nodes(schema: object, files: set[str]) -> None:
    used = set()
    for node in _nodes(schema):
        _check_node(node)
        if "file" in node:
            used.add(str(node["file"]))
    if not used <= files:
        raise ArchiveError(f"its array {min(used - files)!r} is missing.")
    if not files <= used:
        raise ArchiveError(f"nothing uses its array {min(files - used)!r}.")


def _check_node(node: dict) -> None:
    module, name = node.get("__module__"), node.get("__class__")
    if (node.get("__loader__"), f"{module}.{name}") not in ALLOWED_NODES:
        raise ArchiveError(f"it holds a {module}.{name} ({node.get('__loader__')}), which a head may not contain.")
    if "__id__" in node or node.get("type", "numpy") != "numpy":
        raise ArchiveError("it holds references or arrays of objects, which a head may not contain.")


def _nodes(schema: object) -> Iterator[dict]:
    """Every dict of the schema that skops could take for a node, without recursion."""
    stack = [(schema, 0)]
    while stack:
        value, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise ArchiveError(f"its schema is nested more than {MAX_DEPTH} deep.")
        if isinstance(value, dict):
            if "__loader__" in value:
                yield value
            stack.extend((child, depth + 1) for child in reversed(value.values()))
        elif isinstance(value, list):
            stack.extend((child, depth + 1) for child in reversed(value))


def _check_arrays(archive: zipfile.ZipFile) -> None:
    for entry in archive.infolist():
        if entry.filename == _SCHEMA:
            continue
        with archive.open(entry) as file:
            head = file.read(_HEADER_BYTES)
        if _array_bytes(head) != entry.file_size:
            raise ArchiveError(f"its array {entry.filename!r} has another size than it claims.")


def _array_bytes(head: bytes) -> int:
    """Size that a ``.npy`` file must have by its header; object arrays are refused."""
    stream = io.BytesIO(head)
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ArchiveError(f"it holds an array of the unknown format {version}.")
    shape, _, dtype = readers[version](stream)
    if dtype.hasobject or any(n < 0 for n in shape):
        raise ArchiveError("it holds an array of objects or of negative size.")
    return stream.tell() + math.prod(shape) * dtype.itemsize
