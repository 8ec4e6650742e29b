"""Any embedding network in an ONNX file, run by onnxruntime on the CPU: crops in, vectors out.

The file is untrusted: it is read once, so that what is hashed is what runs, and it must contain its weights; weights in
further files beside it, which the sha256 would not cover, are refused.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..spec import EmbedderSpec
from .onnx_spec import OnnxSpec, read_onnx_spec

if TYPE_CHECKING:
    import onnxruntime

#: Largest ONNX file that is read, in bytes; the format itself ends at 2 GiB.
MAX_BYTES = (1 << 31) - 1
#: Crops of one pass where the file leaves the number open.
BATCH = 32
#: onnxruntime's level of log messages from which it writes to stderr: fatal ones; the others come as exceptions.
_LOG_FATAL = 4


class OnnxNetwork:
    """A network and what it needs to be fed rightly.

    Parameters
    ----------
    path : str or path-like
        The ONNX file.
    json_path : str or path-like, optional
        Its specification (:mod:`faceheads.networks.onnx_spec`); default: the same name with ``.json``.
    n_threads : int, optional
        Threads inside one operation; default: onnxruntime's choice, the number of cores.

    Attributes
    ----------
    spec : EmbedderSpec
    batch_size : int
        Crops of one pass; 1 where the file was exported for one.

    Raises
    ------
    ImportError
        If onnxruntime is not installed.
    FileNotFoundError
        If one of the two files is missing.
    ValueError
        If the specification is wrong, the file is no ONNX network with its weights inside, or the two contradict each
        other.
    """

    def __init__(
        self, path: str | os.PathLike, json_path: str | os.PathLike | None = None, *, n_threads: int | None = None
    ) -> None:
        self._path = Path(path)
        self._onnx_spec = read_onnx_spec(self._path.with_suffix(".json") if json_path is None else json_path)
        content = _read_bounded(self._path)
        sha256 = hashlib.sha256(content).hexdigest()
        if self._onnx_spec.sha256 not in (None, sha256):
            raise ValueError(f"{self._path} must have the sha256 {self._onnx_spec.sha256}; got {sha256}.")
        self._session = _open_session(content, self._path, n_threads)
        self._fixed_batch = _check_input(self._session, self._onnx_spec, self._path)
        _check_output(self._session, self._onnx_spec, self._path)
        self.batch_size = BATCH if self._fixed_batch is None else self._fixed_batch
        self.spec = _embedder_spec(self._onnx_spec, sha256)

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Embeddings, shape (n_crops, dimension), float32, as the network gives them.

        Parameters
        ----------
        crops : ndarray of shape (n_crops, height, width, 3), uint8, RGB
            Of the size that the specification names.

        Raises
        ------
        ValueError
            If the crops have another type or shape, or the network gives another dimension than specified.
        """
        expected = (*self._onnx_spec.size_hw, 3)
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != expected:
            raise ValueError(
                f"crops must be uint8 of shape (n_crops, {', '.join(map(str, expected))}); "
                f"got {crops.dtype} of shape {crops.shape}."
            )
        vectors = np.empty((len(crops), self._onnx_spec.dimension), np.float32)
        for start in range(0, len(crops), self.batch_size):
            part = crops[start : start + self.batch_size]
            vectors[start : start + len(part)] = self._run(part)
        return vectors

    def _run(self, crops: np.ndarray) -> np.ndarray:
        """Vectors of at most ``batch_size`` crops."""
        x = _as_input(crops, self._onnx_spec)
        if self._fixed_batch is not None and len(crops) < self._fixed_batch:
            x = np.concatenate([x, np.zeros((self._fixed_batch - len(crops), *x.shape[1:]), np.float32)])
        [vectors] = self._session.run([self._onnx_spec.output_name], {self._onnx_spec.input_name: x})
        if vectors.shape != (len(x), self._onnx_spec.dimension):
            raise ValueError(
                f"Output {self._onnx_spec.output_name!r} of {self._path} must have shape "
                f"({len(x)}, {self._onnx_spec.dimension}); got {vectors.shape}."
            )
        return vectors[: len(crops)]


def _read_bounded(path: Path) -> bytes:
    size_bytes = path.stat().st_size
    if size_bytes > MAX_BYTES:
        raise ValueError(f"An ONNX file must not have more than {MAX_BYTES} bytes; {path} has {size_bytes}.")
    return path.read_bytes()


def _open_session(content: bytes, path: Path, n_threads: int | None) -> onnxruntime.InferenceSession:
    if n_threads is not None and n_threads < 1:
        raise ValueError(f"n_threads must be at least 1, or None for all cores; got {n_threads}.")
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state
    except ImportError as error:
        raise ImportError(
            f"{path} is run by onnxruntime, which is not installed: pip install onnxruntime, or faceheads[onnx]."
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _LOG_FATAL
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 0 if n_threads is None else n_threads  # 0: onnxruntime's choice
    # Weights in other files are looked for inside a folder that cannot exist: the ONNX file itself.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.resolve()))
    failures = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented)
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (*failures, state.NoSuchFile, state.RuntimeException) as error:
        raise ValueError(f"{path} must be an ONNX network that holds its weights; got: {error}") from error


def _check_input(session: onnxruntime.InferenceSession, spec: OnnxSpec, path: Path) -> int | None:
    """The number of crops that the network takes at a time; None if it is open."""
    inputs = {value.name: value for value in session.get_inputs()}
    if set(inputs) != {spec.input_name}:
        raise ValueError(f"{path} must have one input, {spec.input_name!r}; got {sorted(inputs)}.")
    found = inputs[spec.input_name]
    expected = (3, *spec.size_hw) if spec.layout == "NCHW" else (*spec.size_hw, 3)
    _check_tensor(f"Input {spec.input_name!r} of {path}", found, expected)
    return found.shape[0] if isinstance(found.shape[0], int) else None


def _check_output(session: onnxruntime.InferenceSession, spec: OnnxSpec, path: Path) -> None:
    outputs = {value.name: value for value in session.get_outputs()}
    if spec.output_name not in outputs:
        raise ValueError(f"{path} must have the output {spec.output_name!r}; got {sorted(outputs)}.")
    _check_tensor(f"Output {spec.output_name!r} of {path}", outputs[spec.output_name], (spec.dimension,))


def _check_tensor(what: str, found: onnxruntime.NodeArg, expected: tuple[int, ...]) -> None:
    """Type and shape behind the first axis; an axis of open length (a name, or nothing) agrees with any."""
    fits = len(found.shape) == 1 + len(expected) and all(
        not isinstance(length, int) or length == wanted for length, wanted in zip(found.shape[1:], expected)
    )
    if found.type != "tensor(float)" or not fits:
        raise ValueError(
            f"{what} must be float32 of shape {('n', *expected)}, as its specification says; "
            f"got {found.type} of shape {found.shape}."
        )


def _as_input(crops: np.ndarray, spec: OnnxSpec) -> np.ndarray:
    """Crops as the network takes them, float32."""
    ordered = crops if spec.colour == "RGB" else crops[..., ::-1]
    x = (ordered - np.array(spec.mean, np.float32)) / np.array(spec.scale, np.float32)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2) if spec.layout == "NCHW" else x)


def _embedder_spec(spec: OnnxSpec, sha256: str) -> EmbedderSpec:
    return EmbedderSpec(
        network="onnx",
        weights_sha256=sha256,
        dimension=spec.dimension,
        landmark_scheme=spec.landmark_scheme,
        crop=spec.crop,
        metric=spec.metric,
        input={
            "colour": spec.colour,
            "layout": spec.layout,
            "mean": list(spec.mean),
            "scale": list(spec.scale),
            "output": spec.output_name,
        },
    )
