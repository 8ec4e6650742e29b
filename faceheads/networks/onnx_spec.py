"""What a foreign network expects and gives: the JSON file that lies beside its ONNX file.

::

    {
      "format": "faceheads-onnx-embedder",
      "version": 1,
      "description": "what it is, where it comes from, under which terms",
      "sha256": "of the ONNX file, 64 hexadecimal characters; may be left out",
      "landmark_scheme": "arcface5",
      "crop": {"kind": "similarity", "template": [[38.3, 51.7], ...], "size_hw": [112, 112]},
      "input": {"name": "input", "layout": "NCHW", "colour": "RGB", "mean": [127.5, 127.5, 127.5], "scale": [127.5, 127.5, 127.5]},
      "output": {"name": "output", "dimension": 128},
      "metric": "cosine"
    }

A pixel value v of a channel enters the network as ``(v − mean) / scale``; mean and scale are three numbers in the
order of ``colour``. ``crop`` is what :mod:`features.align` understands.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FORMAT = "faceheads-onnx-embedder"
VERSION = 1
#: Largest specification that is read, in bytes.
MAX_BYTES = 1 << 16
#: Largest side of a crop, in pixels, and largest embedding.
MAX_SIDE_PX = 1024
MAX_DIMENSION = 1 << 16

#: Kind of crop → landmark schemes that it can be made with, and the setting that holds its size.
_CROPS = {
    "similarity": (("arcface5",), "size_hw"),
    "dlib_chip": (("dlib5", "dlib68"), "size"),
    "box_margin": (("none",), "size"),
    "box_square": (("none",), "size"),
}
_REQUIRED = {"format", "version", "landmark_scheme", "crop", "input", "output", "metric"}
_OPTIONAL = {"description", "sha256"}


@dataclass(frozen=True)
class OnnxSpec:
    """A specification that has been checked.

    Attributes
    ----------
    landmark_scheme : str
    crop : mapping
        Geometry of the crop, as an ``EmbedderSpec`` has it.
    size_hw : tuple of 2 ints
        Rows and columns of the crop, in pixels.
    input_name : str
    layout : {"NCHW", "NHWC"}
    colour : {"RGB", "BGR"}
    mean, scale : tuple of 3 floats
        In the order of ``colour``.
    output_name : str
    dimension : int
    metric : {"cosine", "euclidean"}
    sha256 : str or None
        Of the ONNX file, if the specification is for one file only.
    """

    landmark_scheme: str
    crop: Mapping
    size_hw: tuple[int, int]
    input_name: str
    layout: str
    colour: str
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    output_name: str
    dimension: int
    metric: str
    sha256: str | None


def read_onnx_spec(path: str | os.PathLike) -> OnnxSpec:
    """The specification in a JSON file.

    Raises
    ------
    FileNotFoundError
        If there is none; says what belongs there.
    ValueError
        If it is no such specification; names the field, what it must be and what it is.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"An ONNX network needs a JSON specification beside it; {path} does not exist. "
            "faceheads.networks.onnx_spec describes its fields."
        )
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path} must have at most {MAX_BYTES} bytes; got {path.stat().st_size}.")
    try:
        values = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse, object_pairs_hook=_unique)
        return _checked(values)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no specification of an ONNX network: {error}") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"numbers must be finite; got {constant}.")


def _unique(pairs: list[tuple[str, object]]) -> dict:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError(f"every name must be given once; got {sorted(name for name, _ in pairs)}.")
    return values


def _checked(values: object) -> OnnxSpec:
    values = _object("the file", values, _REQUIRED, _OPTIONAL)
    _one_of("format", values["format"], (FORMAT,))
    _one_of("version", values["version"], (VERSION,))
    _text("description", values.get("description", ""))
    crop, size_hw = _checked_crop(values["crop"], values["landmark_scheme"])
    inputs = _object("input", values["input"], {"name", "layout", "colour", "mean", "scale"})
    outputs = _object("output", values["output"], {"name", "dimension"})
    scale = _three("input.scale", inputs["scale"])
    if min(scale) <= 0:
        raise ValueError(f"input.scale must be above 0; got {inputs['scale']}.")
    return OnnxSpec(
        landmark_scheme=values["landmark_scheme"],
        crop=crop,
        size_hw=size_hw,
        input_name=_text("input.name", inputs["name"]),
        layout=_one_of("input.layout", inputs["layout"], ("NCHW", "NHWC")),
        colour=_one_of("input.colour", inputs["colour"], ("RGB", "BGR")),
        mean=_three("input.mean", inputs["mean"]),
        scale=scale,
        output_name=_text("output.name", outputs["name"]),
        dimension=_whole("output.dimension", outputs["dimension"], MAX_DIMENSION),
        metric=_one_of("metric", values["metric"], ("cosine", "euclidean")),
        sha256=_sha256(values.get("sha256")),
    )


def _checked_crop(crop: object, scheme: object) -> tuple[Mapping, tuple[int, int]]:
    """The crop and its rows and columns."""
    if not isinstance(crop, dict) or "kind" not in crop:
        raise ValueError(f"crop must be an object with a 'kind'; got {crop!r}.")
    schemes, size_name = _CROPS[_one_of("crop.kind", crop["kind"], tuple(_CROPS))]
    _one_of(f"landmark_scheme of a crop of kind {crop['kind']!r}", scheme, schemes)
    if crop["kind"] != "similarity":
        side = _whole("crop.size", crop.get("size"), MAX_SIDE_PX)
        return crop, (side, side)
    _object("crop", crop, {"kind", "template", "size_hw"})
    if not isinstance(crop["size_hw"], list) or len(crop["size_hw"]) != 2:
        raise ValueError(f"crop.size_hw must be [rows, columns]; got {crop['size_hw']!r}.")
    height, width = (_whole(f"crop.{size_name}", side, MAX_SIDE_PX) for side in crop["size_hw"])
    _check_template(crop["template"])
    return crop, (height, width)


def _check_template(template: object) -> None:
    is_five = isinstance(template, list) and len(template) == 5
    if not is_five or not all(isinstance(p, list) and len(p) == 2 and all(map(_is_number, p)) for p in template):
        raise ValueError(f"crop.template must be five points [x, y] in pixels of the crop; got {template!r}.")


def _object(name: str, value: object, required: set[str], optional: frozenset | set[str] = frozenset()) -> dict:
    is_object = isinstance(value, dict)
    if not is_object:
        raise ValueError(f"{name} must be an object; got {value!r}.")
    missing, unknown = sorted(required - set(value)), sorted(set(value) - required - set(optional))
    if missing or unknown:
        raise ValueError(
            f"{name} must have the fields {sorted(required)} and may have {sorted(optional)}; "
            f"missing: {missing}, unknown: {unknown}."
        )
    return value


def _one_of(name: str, value: object, allowed: tuple):
    if isinstance(value, bool) or value not in allowed:
        raise ValueError(f"{name} must be one of {list(allowed)}; got {value!r}.")
    return value


def _text(name: str, value: object) -> str:
    is_text = isinstance(value, str)
    if not is_text:
        raise ValueError(f"{name} must be a text; got {value!r}.")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _three(name: str, value: object) -> tuple[float, float, float]:
    if not isinstance(value, list) or len(value) != 3 or not all(map(_is_number, value)):
        raise ValueError(f"{name} must be three finite numbers, one a channel; got {value!r}.")
    return float(value[0]), float(value[1]), float(value[2])


def _whole(name: str, value: object, largest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
        raise ValueError(f"{name} must be a whole number from 1 to {largest}; got {value!r}.")
    return value


def _sha256(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise ValueError(f"sha256 must be 64 lower-case hexadecimal characters; got {value!r}.")
    return value
