"""The command line that makes the embeddings of a specification: what an error message tells its reader to run."""

from __future__ import annotations

import hashlib

from .joining import parts_of_spec
from .spec import EmbedderSpec, TableSpec
from .weights import REGISTRY

#: sha256 of the weights of the networks that need no path, by their name; ``spectrum`` has none, which is that of no bytes.
BUILT_IN = {
    "dlib": REGISTRY["dlib_resnet"].sha256,
    "facenet": REGISTRY["facenet_vggface2"].sha256,
    "spectrum": hashlib.sha256(b"").hexdigest(),
}


def extraction_command(spec: TableSpec) -> str:
    """The command line that makes embeddings of a specification; a network that is not built in stands as ``PATH``.

    Where several embedders were joined there is a command for each, with ``and`` between them.
    """
    return " and ".join(extraction_commands(spec))


def extraction_commands(spec: TableSpec) -> list[str]:
    """The same as one command for each embedder that was joined."""
    parts = parts_of_spec(spec)
    names = (
        ["feature.parquet"] if len(parts) == 1 else [f"feature{number + 1}.parquet" for number in range(len(parts))]
    )
    return [_command(part, name) for part, name in zip(parts, names, strict=True)]


def _command(spec: TableSpec, file_name: str) -> str:
    embedder = spec.embedder
    options = ["--embedder", _embedder_name(embedder), "--layers", ",".join(embedder.layers)]
    predicted = spec.detector_settings.get("landmarks", embedder.landmark_scheme)
    if predicted in ("dlib5", "dlib68"):
        options += ["--landmarks", predicted.removeprefix("dlib")]
    options += ["--precision", embedder.precision] * (embedder.precision != "float32")
    options += ["--flip"] * embedder.flip
    options += ["--jitter", str(embedder.jitter)] * bool(embedder.jitter)
    options += ["--restore"] * bool(embedder.crop.get("restore", False))
    options += ["--detector", spec.detector]
    for name in ("upsample", "threshold"):
        if name in spec.detector_settings:
            options += [f"--{name}", f"{spec.detector_settings[name]:g}"]
    options += ["--reduce"] * ("reduction" in spec.detector_settings)
    options += ["--faces", spec.faces, "--no_face", spec.no_face]
    options += ["--min_face", str(spec.min_face_px)] * bool(spec.min_face_px)
    return f"python feature_extraction.py --data_dir PHOTOS --save_feature {file_name} " + " ".join(options)


def _embedder_name(embedder: EmbedderSpec) -> str:
    if embedder.weights_sha256 == BUILT_IN.get(embedder.network):
        return embedder.network
    return "PATH.onnx" if embedder.network == "onnx" else "PATH"
