"""An exported network as one ONNX file with its specification beside it, only if it computes the same."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from faceheads.download import sha256_of
from faceheads.extra import require_extra
from faceheads.networks.exported import load_exported
from faceheads.networks.onnx_embedder import OnnxNetwork
from faceheads.networks.onnx_spec import FORMAT, VERSION
from faceheads.networks.timm_network import TimmNetwork
from faceheads.spec import EmbedderSpec

from .export import N_COMPARED, TOLERANCE, ExportError, embeddings

#: Version of ONNX's operators that the file asks for; onnxruntime 1.14 and newer have it.
OPSET = 17
#: Names of the input and the output.
INPUT, OUTPUT = "crops", "embedding"


def require_onnx() -> None:
    """Raise MissingPackage where what writes and runs ONNX files is not installed."""
    require_extra("onnx", "--onnx", "onnx", "onnxruntime")


def export_onnx(folder: Path, pixels: np.ndarray) -> float:
    """Write ``FOLDER.onnx`` and ``FOLDER.json`` beside an exported network; return how far its numbers are from those in torch.

    Parameters
    ----------
    folder : Path
        What :func:`finetune.export.export_network` wrote.
    pixels : ndarray of shape (n_crops, height, width, 3), uint8
        Real crops to compare on.

    Returns
    -------
    float
        Largest absolute difference.

    Raises
    ------
    ExportError
        If it is larger than ``TOLERANCE``, or ONNX has no operator for something in the network; nothing is then written.
    MissingPackage
        If onnx or onnxruntime is not installed.
    """
    require_onnx()
    spec, network = load_exported(folder)
    network = network.eval()
    _check_layers(spec.layers)
    expected = embeddings(network, pixels, spec.layers)
    targets = [folder.with_name(f"{folder.name}{suffix}") for suffix in (".onnx", ".json")]
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as unchecked:
        written = [Path(unchecked) / target.name for target in targets]
        _write(network, spec, pixels.shape[1:3], *written)
        difference = float(np.abs(OnnxNetwork(written[0], written[1])(pixels[:N_COMPARED]) - expected).max())
        if not difference <= TOLERANCE:
            raise ExportError(
                f"the ONNX file must give the numbers of the network within {TOLERANCE:g}; they differ by {difference:.3g}. "
                f"It was not kept; {folder} is there."
            )
        for file, target in zip(written, targets, strict=True):
            shutil.move(file, target)
    return difference


def _check_layers(layers: Sequence[str]) -> None:
    grids = [name for name in layers if "@" in name]
    if grids:
        raise ExportError(f"ONNX has no means over the cells of a grid, such as {grids[0]!r}. Leave --onnx out.")


class _ForOnnx(nn.Module):
    """A network that gives its layers without being asked for them."""

    def __init__(self, network: nn.Module, layers: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.layers = tuple(layers)

    def forward(self, crops: Tensor) -> Tensor:
        return self.network(crops, self.layers)


def _write(network: nn.Module, spec: EmbedderSpec, size_hw: tuple[int, int], path: Path, json_path: Path) -> None:
    fixed = network.fixed_to(size_hw) if isinstance(network, TimmNetwork) else network
    example = torch.zeros(2, 3, *size_hw)
    with warnings.catch_warnings():
        # The exporter that torch recommends needs a package more; shapes but for the number of crops are fixed.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        try:
            torch.onnx.export(
                _ForOnnx(fixed, spec.layers).eval(),
                (example,),
                path,
                dynamo=False,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_axes={INPUT: {0: "n"}, OUTPUT: {0: "n"}},
            )
        except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
            raise ExportError(
                f"the network {spec.network!r} cannot be written as ONNX: {str(error).splitlines()[0]}"
            ) from error
    json_path.write_text(json.dumps(_specification(spec, path), indent=1) + "\n", encoding="utf-8")


def _specification(spec: EmbedderSpec, path: Path) -> dict:
    return {
        "format": FORMAT,
        "version": VERSION,
        "description": f"{spec.network}, layers {','.join(spec.layers)}, trained by python -m finetune",
        "sha256": sha256_of(path),
        "landmark_scheme": spec.landmark_scheme,
        "crop": dict(spec.crop),
        "input": {"name": INPUT, "layout": "NCHW", "colour": "RGB", "mean": [0, 0, 0], "scale": [1, 1, 1]},
        "output": {"name": OUTPUT, "dimension": spec.dimension},
        "metric": spec.metric,
    }
