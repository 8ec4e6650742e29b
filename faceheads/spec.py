"""What a vector is made of: the specifications that travel with every table and every head.

Two vectors may be compared, and a head may be fed, only when their embedder digests are equal. The digest covers
everything that changes the numbers and nothing else: not the machine, not the backend that computes equal results,
not where the weight file lies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

#: Hexadecimal characters of a digest; 64 bits tell any two specifications of a project apart.
DIGEST_LENGTH = 16


def canonical_json(value: object) -> str:
    """JSON text with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(value: object) -> str:
    """The first 16 hexadecimal characters of the sha256 of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:DIGEST_LENGTH]


def _known_fields(cls: type, values: Mapping, what: str) -> dict:
    names = {f.name for f in fields(cls)}
    unknown = sorted(set(values) - names)
    missing = sorted(names - set(values))
    if unknown or missing:
        raise ValueError(
            f"{what} must have exactly the fields {sorted(names)}; unknown: {unknown}, missing: {missing}. "
            "It was written by another version of faceheads: extract again."
        )
    return dict(values)


@dataclass(frozen=True)
class EmbedderSpec:
    """How an aligned face becomes a vector.

    Attributes
    ----------
    network : str
        Name of the network definition: ``"dlib"``, ``"facenet"``, ``"onnx"``, or a name of ``faceheads.networks``.
    weights_sha256 : str
        sha256 of the weight file, 64 hexadecimal characters.
    dimension : int
        Length of the vector.
    landmark_scheme : str
        Landmarks that the alignment needs: ``"dlib5"``, ``"dlib68"``, ``"arcface5"``, or ``"none"`` (box only).
    crop : mapping
        Geometry of the crop as JSON values; ``kind`` names the function in ``features.align``.
    layers : tuple of str
        What is concatenated: ``"final"`` for the network's embedding, other names for pooled stages.
    flip : bool
        Whether the vector is the mean over the crop and its mirror image.
    jitter : int
        Number of randomly moved crops averaged; 0 for none.
    precision : str
        ``"float32"`` or ``"int8"``.
    metric : str
        ``"cosine"`` or ``"euclidean"``: the distance that the network was trained for.
    input : mapping
        Colour order, mean and scale of the network's input as JSON values, where the network leaves them open.
    recipe_version : int
        Raised by hand when the arithmetic changes.
    """

    network: str
    weights_sha256: str
    dimension: int
    landmark_scheme: str
    crop: Mapping = field(default_factory=dict)
    layers: tuple[str, ...] = ("final",)
    flip: bool = False
    jitter: int = 0
    precision: str = "float32"
    metric: str = "cosine"
    input: Mapping = field(default_factory=dict)
    recipe_version: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if self.dimension < 1:
            raise ValueError(f"dimension must be at least 1; got {self.dimension}.")

    @property
    def embedder_digest(self) -> str:
        """Sixteen hexadecimal characters that are equal exactly when the vectors are comparable."""
        return digest_of(self.to_json())

    def to_json(self) -> dict:
        """The specification as JSON values."""
        return {**asdict(self), "layers": list(self.layers), "crop": dict(self.crop), "input": dict(self.input)}

    @classmethod
    def from_json(cls, values: Mapping) -> EmbedderSpec:
        """The specification that :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            If a field is missing or unknown.
        """
        return cls(**_known_fields(cls, values, "An embedder specification"))


@dataclass(frozen=True)
class TableSpec:
    """How a folder of photos became a table of vectors.

    Attributes
    ----------
    embedder : EmbedderSpec
    detector : str
        ``"hog"``, ``"cnn"``, ``"mtcnn"``, ``"none"`` (the whole image is the face).
    detector_settings : mapping
        Settings that change what is found, as JSON values.
    faces : {"largest", "central", "all", "only"}
        What was done with several faces in one image.
    min_face_px : int
        Faces whose shorter side is smaller count as ``too_small``.
    no_face : {"skip", "whole"}
        Whether an image without a detection is left without a vector or taken whole.
    """

    embedder: EmbedderSpec
    detector: str
    detector_settings: Mapping = field(default_factory=dict)
    faces: str = "largest"
    min_face_px: int = 0
    no_face: str = "skip"

    @property
    def embedder_digest(self) -> str:
        """The digest of the embedder."""
        return self.embedder.embedder_digest

    @property
    def table_digest(self) -> str:
        """Equal exactly when rows may stand in one table."""
        return digest_of(self.to_json())

    @property
    def detection_digest(self) -> str:
        """Digest of everything but the embedder; heads warn when it differs from training."""
        values = self.to_json()
        del values["embedder"]
        return digest_of(values)

    def to_json(self) -> dict:
        """The specification as JSON values."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**values, "embedder": self.embedder.to_json(), "detector_settings": dict(self.detector_settings)}

    @classmethod
    def from_json(cls, values: Mapping) -> TableSpec:
        """The specification that :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            If a field is missing or unknown.
        """
        known = _known_fields(cls, values, "A table specification")
        return cls(**{**known, "embedder": EmbedderSpec.from_json(known["embedder"])})

    def with_embedder(self, embedder: EmbedderSpec) -> TableSpec:
        """The same detection with another embedder."""
        return replace(self, embedder=embedder)


def difference(there: TableSpec, now: TableSpec) -> str:
    """What differs between the specifications of a table that exists and of one that is to be made, for a message."""
    old, new = (_flat(spec.to_json()) for spec in (there, now))
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return "; ".join(f"{name}: {old.get(name)!r} there, {new.get(name)!r} now" for name in names)


def _flat(values: Mapping, prefix: str = "") -> dict:
    flat = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat
