"""A fitted score on disk: a line in the threshold's JSON, and a safetensors file of its arrays beside it.

A file is untrusted input. Its size is bounded, its contents must have the sha256 that the JSON names, parameters must have
the types of the defaults, and arrays the shapes that the score and the embedder ask for; nothing in it is executed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from ...atomic import atomic_path
from ..json_values import exactly
from .base import PairScore
from .cluster_calibrated import ClusterCalibratedScore
from .cohort_norm import CohortNormScore
from .faces import QUALITIES
from .plda import PldaScore
from .quality import QualityScore
from .registry import wants_quality
from .whitened import WhitenedScore

_TYPES = {
    "cohort_norm": CohortNormScore,
    "whitened": WhitenedScore,
    "plda": PldaScore,
    "quality": QualityScore,
    "cluster_calibrated": ClusterCalibratedScore,
}
#: Two matrices of 2,048 x 2,048 float64.
_MAX_BYTES = 2**26


def arrays_path(threshold_path: str | os.PathLike) -> Path:
    """Where the arrays of a threshold's score lie: ``T.score.safetensors`` beside ``T.json``."""
    return Path(threshold_path).with_suffix(".score.safetensors")


def save_score(path: Path, score: PairScore) -> dict:
    """Write the arrays of a fitted score; returns the JSON values that describe it."""
    arrays = {name: np.ascontiguousarray(getattr(score, name)) for name in score.fitted_arrays}
    content = safetensors.numpy.save(arrays)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    name = next(name for name, kind in _TYPES.items() if type(score) is kind)
    return {"type": name, "parameters": score.get_params(), "sha256": hashlib.sha256(content).hexdigest()}


def load_score(path: Path, values: Mapping, dimension: int) -> PairScore:
    """The score that :func:`save_score` wrote.

    Parameters
    ----------
    path : Path
        Of the arrays.
    values : mapping
        What describes it.
    dimension : int
        Of the embeddings it is for.

    Raises
    ------
    ValueError
        If the file is missing, too large, another one, or does not fit.
    """
    exactly(values, {"type", "parameters", "sha256"}, "score")
    if values["type"] not in _TYPES:
        raise ValueError(f"a score is one of {sorted(_TYPES)}; got {values['type']!r}.")
    score = _unfitted(_TYPES[values["type"]], values["parameters"])
    n_features = dimension + (len(QUALITIES) if wants_quality(score) else 0)
    arrays = _arrays(path, values["sha256"])
    exactly(arrays, set(score.fitted_arrays), "the file of the score")
    _check_sizes(score, arrays, n_features)
    for name, array in arrays.items():
        setattr(score, name, array)
    score.n_features_in_ = n_features
    score.check_arrays()
    return score


def _unfitted(kind: type[PairScore], parameters: Mapping) -> PairScore:
    defaults = kind().get_params()
    exactly(parameters, set(defaults), "parameters of the score")
    for name, value in parameters.items():
        allowed = (int, type(None)) if defaults[name] is None else (type(defaults[name]),)
        if type(value) not in allowed:
            raise ValueError(f"the score's parameter {name} must be {allowed[0].__name__}; got {value!r}.")
    score = kind(**parameters)
    score.check_parameters()
    return score


def _arrays(path: Path, sha256: str) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the file {path.name} of its score must lie beside it ({error.strerror})") from error
    if len(content) > _MAX_BYTES:
        raise ValueError(f"{path.name} has more than {_MAX_BYTES} bytes: this is no score.")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path.name} is not the file that the threshold was saved with. Copy both again.")
    try:
        return safetensors.numpy.load(content)
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path.name} is damaged: {error}") from error


def _check_sizes(score: PairScore, arrays: Mapping[str, np.ndarray], n_features: int) -> None:
    """Raise unless every array is of finite numbers, and dimensions of one name have one length."""
    sizes = {"n_features": n_features, **score.fixed_sizes}
    for name, dimensions in score.fitted_arrays.items():
        array = arrays[name]
        if array.dtype not in (np.float32, np.float64) or not np.isfinite(array).all():
            raise ValueError(f"array {name} of the score must hold finite numbers.")
        expected = tuple(sizes.setdefault(d, max(n, 1)) for d, n in zip(dimensions, array.shape, strict=False))
        if array.ndim != len(dimensions) or array.shape != expected:
            raise ValueError(f"array {name} of the score must have the shape {expected}; got {array.shape}.")
