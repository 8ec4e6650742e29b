"""Specifications of foreign networks: what is accepted, and that every mistake is named."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from faceheads.networks.onnx_spec import MAX_BYTES, read_onnx_spec

EXAMPLE = Path(__file__).parents[2] / "data" / "mobilefacenet.json"


@pytest.fixture
def values():
    return json.loads(EXAMPLE.read_text())


def written(tmp_path, values):
    path = tmp_path / "network.json"
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    return path


def changed(values, dotted, value):
    values = copy.deepcopy(values)
    *parents, last = dotted.split(".")
    inner = values
    for name in parents:
        inner = inner[name]
    inner[last] = value
    return values


def test_the_example_is_read():
    spec = read_onnx_spec(EXAMPLE)
    assert (spec.landmark_scheme, spec.size_hw, spec.layout, spec.colour) == ("arcface5", (112, 112), "NCHW", "RGB")
    assert (spec.mean, spec.scale, spec.dimension, spec.metric) == ((127.5,) * 3, (127.5,) * 3, 128, "cosine")
    assert spec.crop["template"][0] == [38.2946, 51.6963]


def test_a_crop_of_the_box_has_its_side_in_both_directions(tmp_path, values):
    values["crop"] = {"kind": "box_margin", "size": 160, "margin": 20}
    values["landmark_scheme"] = "none"
    assert read_onnx_spec(written(tmp_path, values)).size_hw == (160, 160)


def test_description_and_sha256_may_be_left_out(tmp_path, values):
    del values["description"], values["sha256"]
    assert read_onnx_spec(written(tmp_path, values)).sha256 is None


@pytest.mark.parametrize(
    ("dotted", "value", "message"),
    [
        ("format", "other", "format must be one of"),
        ("version", 2, r"version must be one of \[1\]; got 2"),
        ("version", True, "version must be one of"),
        ("description", 3, "description must be a text"),
        ("sha256", "E72A" * 16, "64 lower-case hexadecimal"),
        ("landmark_scheme", "dlib5", r"landmark_scheme of a crop of kind 'similarity' must be one of \['arcface5'\]"),
        ("metric", "dot", "metric must be one of"),
        ("crop", [], "crop must be an object"),
        ("crop", {"kind": "warp"}, "crop.kind must be one of"),
        ("crop.padding", 3, "unknown: .'padding'"),
        ("crop.size_hw", [112], "rows, columns"),
        ("crop.size_hw", [112, 0], "whole number from 1"),
        ("crop.size_hw", [112, 10_000], "whole number from 1 to 1024"),
        ("crop.template", [[1, 2]] * 4, "five points"),
        ("crop.template", [[1, 2, 3]] * 5, "five points"),
        ("crop.template", [[1, "2"]] * 5, "five points"),
        ("input", "input", "input must be an object"),
        ("input.name", None, "input.name must be a text"),
        ("input.layout", "CHW", "input.layout must be one of"),
        ("input.colour", "rgb", "input.colour must be one of"),
        ("input.mean", 127.5, "three finite numbers"),
        ("input.mean", [1, 2, True], "three finite numbers"),
        ("input.scale", [1, 1, 0], "input.scale must be above 0"),
        ("input.extra", 1, "unknown: .'extra'"),
        ("output.dimension", 0, "whole number from 1"),
        ("output.dimension", 128.0, "whole number"),
        ("colour", "RGB", "unknown: .'colour'"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, values, dotted, value, message):
    with pytest.raises(ValueError, match=message):
        read_onnx_spec(written(tmp_path, changed(values, dotted, value)))


@pytest.mark.parametrize("name", ["format", "version", "landmark_scheme", "crop", "input", "output", "metric"])
def test_a_missing_field_is_named(tmp_path, values, name):
    del values[name]
    with pytest.raises(ValueError, match=f"missing: .'{name}'"):
        read_onnx_spec(written(tmp_path, values))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "not json", '{"format": NaN}', '{"format": 1, "format": 2}', "[" * 10_000, '{"version": 1e999}'],
)
def test_a_damaged_file_is_refused_with_its_name(tmp_path, text):
    with pytest.raises(ValueError, match="network.json is no specification of an ONNX network"):
        read_onnx_spec(written(tmp_path, text))


def test_a_number_beyond_all_floats_is_refused(tmp_path, values):
    text = json.dumps(changed(values, "input.mean", ["HUGE", 1, 1])).replace('"HUGE"', "1e999")
    with pytest.raises(ValueError, match="three finite numbers"):
        read_onnx_spec(written(tmp_path, text))


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    with pytest.raises(ValueError, match=f"at most {MAX_BYTES} bytes"):
        read_onnx_spec(written(tmp_path, " " * (MAX_BYTES + 1)))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="network.json does not exist"):
        read_onnx_spec(tmp_path / "network.json")
