"""The command line that makes the embeddings of a specification: what an error message tells its reader to run."""

from __future__ import annotations

from .spec import EmbedderSpec, TableSpec
from .weights import REGISTRY

#: sha256 of the weights of the networks that need no path, by their name.
BUILT_IN = {"dlib": REGISTRY["dlib_resnet"].sha256, "facenet": REGISTRY["facenet_vggface2"].sha256}


def extraction_command(spec: TableSpec) -> str:
    """The command line that makes embeddings of a specification; a network that is not built in stands as ``PATH``."""
    embedder = spec.embedder
    options = ["--embedder", _embedder_name(embedder), "--layers", ",".join(embedder.layers)]
    predicted = spec.detector_settings.get("landmarks", embedder.landmark_scheme)
    if predicted in ("dlib5", "dlib68"):
        options += ["--landmarks", predicted.removeprefix("dlib")]
    options += ["--flip"] * embedder.flip
    options += ["--jitter", str(embedder.jitter)] * bool(embedder.jitter)
    options += ["--detector", spec.detector]
    for name in ("upsample", "threshold"):
        if name in spec.detector_settings:
            options += [f"--{name}", f"{spec.detector_settings[name]:g}"]
    options += ["--reduce"] * ("reduction" in spec.detector_settings)
    options += ["--faces", spec.faces, "--no_face", spec.no_face]
    options += ["--min_face", str(spec.min_face_px)] * bool(spec.min_face_px)
    return "python feature_extraction.py --data_dir PHOTOS --save_feature feature.parquet " + " ".join(options)


def _embedder_name(embedder: EmbedderSpec) -> str:
    if embedder.weights_sha256 == BUILT_IN.get(embedder.network):
        return embedder.network
    return "PATH.onnx" if embedder.network == "onnx" else "PATH"
