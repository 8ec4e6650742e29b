"""Which embedder is wanted, and how it is built.

``dlib`` and ``facenet`` run from their published weight files, in torch or, ``dlib`` on a CPU, in OpenVINO where that is
installed (the same numbers, somewhat faster); ``dlib-reference`` is dlib's own code (the same numbers, many times
slower), ``spectrum`` is no network but the energies of spatial frequencies, which tell fakes from photos, ``NAME.onnx`` is
any foreign network with a JSON specification beside it, and a folder is a network that ``finetune`` exported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from faceheads.extraction_command import BUILT_IN
from faceheads.networks.dlib_resnet_layers import layer_dimension
from faceheads.networks.spectrum import CROP_PX, DIMENSION, spectrum
from faceheads.spec import EmbedderSpec
from faceheads.weights import REGISTRY, fetch_weights, find_weights

from .embedders import ArrayEmbedder, DlibReferenceEmbedder, Embedder, TorchEmbedder

if TYPE_CHECKING:
    import torch

#: Named choices of layers. ``attributes`` of dlib's network is the last block of each width before the final one;
#: benchmarks/layer_choice.py compares it with other choices.
LAYER_PRESETS = {
    "dlib": {"identity": ("final",), "attributes": ("block07", "block10", "block14")},
    "facenet": {"identity": ("final",), "attributes": ("final",)},
}
#: Numbers that a network can compute with; ``int8`` makes other embeddings, see faceheads.networks.dlib_resnet_int8.
PRECISIONS = ("float32", "int8")
#: What a network can run in.
BACKENDS = ("auto", "torch", "openvino")
_DLIB_CROP = {"kind": "dlib_chip", "size": 150, "padding": 0.25}
_FACENET_CROP = {"kind": "box_margin", "size": 160, "margin": 20}
#: The box as it is, which with the detector ``none`` is the image: images of 200 x 200 pixels are not resampled.
_SPECTRUM_CROP = {"kind": "box_square", "size": CROP_PX, "margin": 0.0}


@dataclass(frozen=True)
class EmbedderRequest:
    """Which embedder is wanted, as the user says it.

    Attributes
    ----------
    name : str
        ``"dlib"``, ``"facenet"``, ``"dlib-reference"``, ``"spectrum"``, or the path of an ONNX file or of an exported
        network's folder.
    layers : tuple of str
        Layers to concatenate, or one preset of :data:`LAYER_PRESETS`.
    landmarks : {"auto", "5", "68"}
        Predictor for dlib's chips; ``auto`` is 5.
    flip : bool
        Average over the crop and its mirror image.
    jitter : int
        Number of randomly moved crops to average; 0 for the plain crop.
    restore : bool
        Make crops clearer first, see :mod:`features.restore`.
    batch_size : int
        Crops of one pass through the network; does not change the numbers beyond rounding.
    backend : {"auto", "torch", "openvino"}
        What runs dlib's network; ``auto`` is OpenVINO on a CPU where it is installed, torch elsewhere. Does not change
        the numbers beyond rounding.
    precision : {"float32", "int8"}
        ``int8`` runs dlib's network in whole numbers of 8 bits on a CPU: other embeddings, almost three times as fast.
    """

    name: str = "dlib"
    layers: tuple[str, ...] = ("final",)
    landmarks: str = "auto"
    flip: bool = False
    jitter: int = 0
    restore: bool = False
    batch_size: int = 64
    backend: str = "auto"
    precision: str = "float32"

    def build(self, device: str = "cpu") -> Embedder:
        """The embedder, its weights found and verified.

        dlib's network itself, and torch, are loaded with the first crops: who only wants to know the specification
        does not wait for them.

        Raises
        ------
        ValueError
            If the name, a layer or a combination of settings is unknown.
        FileNotFoundError
            If the weights are not on this machine; the message says how to get them.
        """
        self._check_precision(device)
        if self.name in _BUILDERS:
            return _BUILDERS[self.name](self, device)
        path = Path(self.name)
        if path.suffix == ".onnx":
            return _build_onnx(self, path)
        if path.is_dir():
            return _build_exported(self, path, device)
        raise ValueError(
            f"--embedder must be one of {sorted(_BUILDERS)}, a .onnx file, or the folder of a finetuned network; "
            f"got {self.name!r}, which is none of them."
        )

    def _check_precision(self, device: str) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {list(PRECISIONS)}; got {self.precision!r}.")
        if self.precision == "int8" and (self.name != "dlib" or device != "cpu"):
            raise ValueError(
                f"--precision int8 is for --embedder dlib on --device cpu; got {self.name!r} on {device!r}."
            )

    @classmethod
    def from_spec(cls, spec: EmbedderSpec, path: str | None = None) -> EmbedderRequest:
        """The request that builds the embedder of a specification.

        Parameters
        ----------
        spec : EmbedderSpec
        path : str, optional
            Where the network lies, needed for those that are not built in.

        Raises
        ------
        ValueError
            If the network is not built in and no path is given, or is built in and a path is given.
        """
        is_built_in = spec.weights_sha256 == BUILT_IN.get(spec.network)
        if path is not None and is_built_in:
            raise ValueError(
                f"The heads need the network {spec.network!r}, which is built in; --embedder {path} is another one. "
                "Leave --embedder out."
            )
        if path is None and not is_built_in:
            raise ValueError(
                f"The heads need the network {spec.network!r} (sha256 {spec.weights_sha256[:16]}…), which is not built "
                "in. Say where it lies with --embedder PATH."
            )
        landmarks = "68" if spec.landmark_scheme == "dlib68" else "auto"
        name = spec.network if path is None else path
        return cls(
            name=name,
            layers=spec.layers,
            landmarks=landmarks,
            flip=spec.flip,
            jitter=spec.jitter,
            restore=bool(spec.crop.get("restore", False)),
            precision=spec.precision,
        )

    def crop_of(self, crop: Mapping) -> dict:
        """The crop of a network, with the restoration that is wanted."""
        return {**crop, "restore": True} if self.restore else dict(crop)

    def resolved_layers(self, family: str) -> tuple[str, ...]:
        """The layers, a preset replaced by what it stands for."""
        if len(self.layers) == 1:
            return LAYER_PRESETS[family].get(self.layers[0], self.layers)
        return self.layers


# ------------------------------------------------------------------------------------------------- builders


def _dlib_spec(request: EmbedderRequest, layers: tuple[str, ...], dimension: int) -> EmbedderSpec:
    return EmbedderSpec(
        network="dlib",
        weights_sha256=REGISTRY["dlib_resnet"].sha256,
        dimension=dimension,
        landmark_scheme="dlib68" if request.landmarks == "68" else "dlib5",
        crop=request.crop_of(_DLIB_CROP),
        layers=layers,
        flip=request.flip,
        jitter=request.jitter,
        precision=request.precision,
        metric="euclidean",
    )


def _build_dlib(request: EmbedderRequest, device: str) -> Embedder:
    layers = request.resolved_layers("dlib")
    spec = _dlib_spec(request, layers, sum(layer_dimension(name) for name in layers))
    make_module = partial(_dlib_module, find_weights("dlib_resnet"))
    if request.precision == "int8":
        return _in_int8(request, spec, make_module)
    return _on_backend(request, spec, make_module, device)


def _dlib_module(path: Path) -> torch.nn.Module:
    from faceheads.networks.dlib_resnet import build_dlib_resnet

    return build_dlib_resnet(path)


def _in_int8(request: EmbedderRequest, spec: EmbedderSpec, make_module: Callable[[], torch.nn.Module]) -> Embedder:
    if request.backend != "auto":
        raise ValueError(f"precision 'int8' runs in onnxruntime; leave backend at 'auto', got {request.backend!r}.")
    if find_spec("onnx") is None or find_spec("onnxruntime") is None:
        raise ImportError("--precision int8 needs onnx and onnxruntime: pip install faceheads[onnx].")
    if any("@" in name for name in spec.layers):
        raise ValueError(
            f"--precision int8 gives the means of whole planes; layers with '@ROWSxCOLUMNS' need float32. "
            f"Got {list(spec.layers)}."
        )
    return ArrayEmbedder(spec, partial(_int8_network, make_module, spec.layers), request.batch_size)


def _int8_network(
    make_module: Callable[[], torch.nn.Module], layers: Sequence[str]
) -> Callable[[np.ndarray], np.ndarray]:
    """The network in 8 bits, on as many threads as torch would use."""
    import torch

    from faceheads.networks.dlib_resnet_int8 import Int8DlibResNet
    from faceheads.networks.dlib_resnet_statistics import ActivationStatistics

    return Int8DlibResNet(make_module(), layers, ActivationStatistics.shipped(), torch.get_num_threads())


def _build_dlib_reference(request: EmbedderRequest, device: str) -> Embedder:
    if device != "cpu" or request.resolved_layers("dlib") != ("final",):
        raise ValueError("--embedder dlib-reference runs on the CPU and gives the final embedding only; use dlib.")
    return DlibReferenceEmbedder(_dlib_spec(request, ("final",), 128))


def _build_facenet(request: EmbedderRequest, device: str) -> Embedder:
    from faceheads.networks.inception_resnet_v1 import build_inception_resnet_v1

    module = build_inception_resnet_v1(fetch_weights("facenet_vggface2"))
    layers = request.resolved_layers("facenet")
    spec = EmbedderSpec(
        network="facenet",
        weights_sha256=REGISTRY["facenet_vggface2"].sha256,
        dimension=sum(module.layer_dimension(name) for name in layers),
        landmark_scheme="none",
        crop=request.crop_of(_FACENET_CROP),
        layers=layers,
        flip=request.flip,
        jitter=request.jitter,
    )
    return _on_backend(request, spec, lambda: module, device)


def _on_backend(
    request: EmbedderRequest, spec: EmbedderSpec, make_module: Callable[[], torch.nn.Module], device: str
) -> Embedder:
    """The network in what is asked for."""
    if request.backend not in BACKENDS:
        raise ValueError(f"backend must be one of {list(BACKENDS)}; got {request.backend!r}.")
    is_possible = spec.network == "dlib" and device == "cpu"
    if request.backend == "openvino" and not is_possible:
        raise ValueError(
            f"backend 'openvino' runs dlib's network on the device cpu; got {spec.network!r} on {device!r}. Use 'torch'."
        )
    if request.backend == "openvino" and not _has_openvino():
        raise ImportError("backend 'openvino' needs openvino: pip install faceheads[fast].")
    if request.backend == "torch" or not is_possible or not _has_openvino():
        return TorchEmbedder(spec, make_module, device, request.batch_size)
    return ArrayEmbedder(spec, partial(_in_openvino, make_module, spec.layers), request.batch_size)


def _has_openvino() -> bool:
    return find_spec("openvino") is not None


def _in_openvino(
    make_module: Callable[[], torch.nn.Module], layers: Sequence[str]
) -> Callable[[np.ndarray], np.ndarray]:
    """The network in OpenVINO, on as many threads as torch would use."""
    import torch

    from faceheads.networks.dlib_resnet_openvino import OpenVinoDlibResNet

    return OpenVinoDlibResNet(make_module(), layers, torch.get_num_threads())


def _build_onnx(request: EmbedderRequest, path: Path) -> Embedder:
    from faceheads.networks.onnx_embedder import OnnxNetwork

    if request.layers != ("final",):
        raise ValueError(f"--layers: an ONNX file gives its output only; got {request.layers}.")
    network = OnnxNetwork(path, path.with_suffix(".json"), n_threads=_n_threads())
    crop = request.crop_of(network.spec.crop)
    spec = replace(network.spec, crop=crop, flip=request.flip, jitter=request.jitter)
    return ArrayEmbedder(spec, lambda: network, request.batch_size)


def _n_threads() -> int | None:
    """Threads that this process may use as ``OMP_NUM_THREADS`` says (ONNX Runtime does not ask), None if it does not."""
    value = os.environ.get("OMP_NUM_THREADS", "")
    return int(value) if value.isdecimal() else None


def _build_exported(request: EmbedderRequest, folder: Path, device: str) -> Embedder:
    from faceheads.networks.exported import load_exported

    spec, module = load_exported(folder)
    if request.layers not in (("final",), spec.layers):
        raise ValueError(f"--layers: the network in {folder} was exported with {spec.layers}; got {request.layers}.")
    crop = request.crop_of(spec.crop)
    spec = replace(spec, crop=crop, flip=request.flip or spec.flip, jitter=request.jitter)
    return _on_backend(request, spec, lambda: module, device)


def _build_spectrum(request: EmbedderRequest, device: str) -> Embedder:
    if request.layers != ("final",) or device != "cpu":
        raise ValueError("--embedder spectrum runs on the CPU and gives one layer; leave --layers and --device out.")
    spec = EmbedderSpec(
        network="spectrum",
        weights_sha256=BUILT_IN["spectrum"],
        dimension=DIMENSION,
        landmark_scheme="none",
        crop=request.crop_of(_SPECTRUM_CROP),
        flip=request.flip,
        jitter=request.jitter,
    )
    return ArrayEmbedder(spec, lambda: spectrum, request.batch_size)


_BUILDERS: dict[str, Callable[[EmbedderRequest, str], Embedder]] = {
    "dlib": _build_dlib,
    "dlib-reference": _build_dlib_reference,
    "facenet": _build_facenet,
    "spectrum": _build_spectrum,
}
