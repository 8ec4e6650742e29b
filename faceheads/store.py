"""Heads on disk: the estimators together with everything that is needed to use them safely.

A head file (``.skops``) is a checked archive (:mod:`faceheads.archive`) of fitted scikit-learn estimators and one JSON text:
the specification of the table they learned from, for each head its target, classes in order, unit, thresholds, margin and
measured errors with intervals, how the data were split, a hash of the training data, and the versions of the software.
*Golden vectors*, made-up inputs with the outputs they gave when the file was written, are computed again when it is read:
another version of scikit-learn that decides otherwise is noticed before it decides about a face.

``.pkl`` and ``.joblib`` files hold the same, but reading a pickle runs whatever its author put into it.
"""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from .archive import ArchiveError, read_archive, write_archive
from .atomic import atomic_path
from .fitted_head import Head
from .fitting import parts_of
from .head_checks import check_heads
from .headfile import HeadError, HeadFile
from .soundness import check_sound
from .spec import TableSpec
from .targets import CLASSIFICATION, REGRESSION
from .versions import software_versions

FORMAT_VERSION = 1
PICKLE_SUFFIXES = (".pkl", ".joblib")
SUFFIXES = (".skops", *PICKLE_SUFFIXES)
N_GOLDEN = 8
#: More would make a small file ask for much memory.
_MAX_GOLDEN = 64
#: Golden outputs may differ by this much: other processors add in another order.
_PROBABILITY_TOLERANCE = 1e-3
_NUMBER_TOLERANCE = 1e-3
_UNUSABLE = (ArithmeticError, AttributeError, LookupError, MemoryError, NotImplementedError, TypeError, ValueError)


def make_golden_inputs(embeddings: np.ndarray, seed: int = 0) -> np.ndarray:
    """Made-up embeddings with the mean and spread of real ones, float32 of shape (8, dimension).

    No row is, or is near, the embedding of a person.
    """
    rng = np.random.default_rng(seed)
    mean, spread = embeddings.mean(axis=0, dtype=np.float64), embeddings.std(axis=0, dtype=np.float64)
    return (mean + spread * rng.standard_normal((N_GOLDEN, embeddings.shape[1]))).astype(np.float32)


def save_heads(path: str | os.PathLike, file: HeadFile) -> None:
    """Write heads at ``path`` (``.skops``, ``.pkl`` or ``.joblib``), atomically.

    Raises
    ------
    HeadError
        If the name has another ending or an estimator is of a type that could not be read again.
    """
    path = Path(path)
    _check_suffix(path)
    payload = {
        "description": json.dumps(_describe(file), sort_keys=True, allow_nan=False),
        "estimators": [head.estimator for head in file.heads],
        "golden_inputs": file.golden_inputs,
        "golden_outputs": [head.raw(file.golden_inputs) for head in file.heads],
    }
    if path.suffix == ".skops":
        _save_skops(path, payload)
        return
    with atomic_path(path) as temporary:
        if path.suffix == ".joblib":
            joblib.dump(payload, temporary, compress=3)
        else:
            temporary.write_bytes(pickle.dumps(payload, protocol=5))


def _save_skops(path: Path, payload: dict) -> None:
    with _Compact(payload["estimators"]):
        try:
            write_archive(path, payload)
        except ArchiveError as error:
            raise HeadError(f"The heads cannot be written as .skops: {error}") from error


def _describe(file: HeadFile) -> dict:
    return {
        "format_version": FORMAT_VERSION,
        "table_spec": None if file.table_spec is None else file.table_spec.to_json(),
        "embedder_digest": None if file.table_spec is None else file.table_spec.embedder_digest,
        "dimension": file.dimension,
        "heads": [head.to_json() for head in file.heads],
        "training": dict(file.training),
        "versions": dict(file.versions),
    }


class _Compact:
    """While a file is written: support vectors, which are float32 numbers in float64, take half the space."""

    def __init__(self, estimators: list[BaseEstimator]) -> None:
        parts = [part for estimator in estimators for part in parts_of(estimator)]
        self.machines = [part for part in parts if hasattr(part, "support_vectors_")]
        self.originals = [part.support_vectors_ for part in self.machines]

    def __enter__(self) -> None:
        for machine in self.machines:
            machine.support_vectors_ = machine.support_vectors_.astype(np.float32)

    def __exit__(self, *_: object) -> None:
        for machine, original in zip(self.machines, self.originals, strict=True):
            machine.support_vectors_ = original


def _expand(estimator: BaseEstimator) -> None:
    for part in parts_of(estimator):
        if hasattr(part, "support_vectors_"):
            part.support_vectors_ = np.ascontiguousarray(part.support_vectors_, np.float64)


def _check_suffix(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise HeadError(f"The name of a head file must end in {', '.join(SUFFIXES)}; got {path.name!r}.")


def load_heads(path: str | os.PathLike, trust: bool = False) -> HeadFile:
    """The heads in a file.

    Parameters
    ----------
    path : path
    trust : bool, default=False
        Whether a ``.pkl`` or ``.joblib`` may be read, which runs code from it. Has no effect on ``.skops``.

    Raises
    ------
    HeadError
        If the file is missing, damaged, not a head file, of another format version, not trusted, or if its heads give
        other results here than where they were written.
    """
    path = Path(path)
    _check_suffix(path)
    payload = _read_payload(path, trust)
    try:
        return _assemble(payload)
    except HeadError as error:
        raise HeadError(f"{path}: {error}") from error
    except _UNUSABLE as error:
        raise HeadError(f"{path} is damaged: its parts do not fit ({type(error).__name__}: {error}).") from error


def _read_payload(path: Path, trust: bool) -> object:
    if not path.is_file():
        raise HeadError(f"There is no head file at {path}. Make one with train.py --save_model {path.name}.")
    if path.suffix == ".skops":
        try:
            return read_archive(path)
        except ArchiveError as error:
            raise HeadError(str(error)) from error
    if not trust:
        raise HeadError(
            f"{path} is a pickle: reading it runs code that its author put into it. If you trust the author, "
            "give --trust (trust=True); better, ask for a .skops file, or convert an old face_model.pkl with python -m "
            "faceheads.convert, which runs nothing."
        )
    try:
        return joblib.load(path)  # reads plain pickles too
    except (*_UNUSABLE, EOFError, ImportError, OSError, pickle.UnpicklingError) as error:
        raise HeadError(f"{path} is not a readable pickle ({type(error).__name__}: {error}).") from error


def _assemble(payload: object) -> HeadFile:
    if not isinstance(payload, dict) or not isinstance(payload.get("description"), str):
        raise HeadError(
            "it holds no heads of faceheads. Networks of face-classification can be converted with python -m "
            "faceheads.convert; other models must be trained again with train.py."
        )
    values = json.loads(payload["description"])
    if values.get("format_version") != FORMAT_VERSION:
        raise HeadError(
            f"it has format version {values.get('format_version')!r}, this faceheads reads {FORMAT_VERSION}. "
            "Train again, or use the version of faceheads that wrote it."
        )
    pairs = zip(values["heads"], payload["estimators"], strict=True)
    file = HeadFile(
        heads=tuple(Head.from_json(head, estimator) for head, estimator in pairs),
        table_spec=None if values["table_spec"] is None else TableSpec.from_json(values["table_spec"]),
        golden_inputs=np.asarray(payload["golden_inputs"]),
        training=values["training"],
        versions=values["versions"],
    )
    _check_file(file, values)
    _check_golden(file, payload["golden_outputs"])
    return file


def _check_file(file: HeadFile, values: Mapping) -> None:
    inputs = file.golden_inputs
    if (
        not file.heads
        or inputs.ndim != 2
        or not 0 < len(inputs) <= _MAX_GOLDEN
        or inputs.dtype != np.float32
        or not np.isfinite(inputs).all()
    ):
        raise HeadError("it has no heads, or its golden vectors are damaged.")
    if inputs.shape[1] != values["dimension"]:
        raise HeadError(f"it is for embeddings of {values['dimension']} numbers, but its own have {inputs.shape[1]}.")
    spec = file.table_spec
    digest = None if spec is None else spec.embedder_digest
    if digest != values["embedder_digest"] or (spec is not None and spec.embedder.dimension != inputs.shape[1]):
        raise HeadError("its specification does not fit its embedder digest or dimension.")
    check_heads(file.heads)
    for head in file.heads:
        _check_cohorts(head, file)
        check_sound(head.estimator)
        _expand(head.estimator)


def _check_cohorts(head: Head, file: HeadFile) -> None:
    """Thresholds by cohort belong to a head for two classes, and to the classes of another head of the file."""
    if head.by_cohort is None:
        return
    n_classes = {h.target.name: len(h.target.classes) for h in file.heads if h.target.task == CLASSIFICATION}
    values, name = head.by_cohort.values, head.by_cohort.target
    fits = n_classes.get(head.target.name) == 2 and n_classes.get(name) == len(values) and name != head.target.name
    if not fits:
        raise HeadError(f"its head {head.target.name!r} has thresholds by {name!r} that do not fit.")


def _check_golden(file: HeadFile, golden_outputs: list) -> None:
    for head, expected in zip(file.heads, golden_outputs, strict=True):
        expected = np.asarray(expected, np.float64)
        got = head.raw(file.golden_inputs)
        n = len(file.golden_inputs)
        shape = (n,) if head.target.task == REGRESSION else (n, head.n_outputs)
        if got.shape != shape or expected.shape != shape:
            raise HeadError(
                f"its head {head.target.name!r} must have {head.n_outputs} outputs; it has {got.shape[1:]}."
            )
        scale = 1.0 if head.target.task != REGRESSION else np.abs(expected).max()
        limit = (_NUMBER_TOLERANCE if head.target.task == REGRESSION else _PROBABILITY_TOLERANCE) * scale
        difference = np.abs(got - expected).max()
        if not difference <= limit:
            raise HeadError(
                f"its head {head.target.name!r} gives other results here than where it was written (difference "
                f"{difference:.3g}). Written with {_versions_text(file.versions)}; "
                f"this is {_versions_text(software_versions())}. Train again."
            )


def _versions_text(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(versions.items()))
