"""Specifications decide which vectors may meet: everything that changes the numbers must change the digest."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceheads.spec import EmbedderSpec, TableSpec, canonical_json, digest_of

SPEC = EmbedderSpec("dlib", "ab" * 32, 128, "dlib5", {"kind": "dlib_chip", "size": 150, "padding": 0.25})
CHANGES = {
    "network": "facenet",
    "weights_sha256": "cd" * 32,
    "dimension": 512,
    "landmark_scheme": "dlib68",
    "crop": {"kind": "dlib_chip", "size": 150, "padding": 0.3},
    "layers": ("block10", "final"),
    "flip": True,
    "jitter": 10,
    "precision": "int8",
    "metric": "euclidean",
    "input": {"colour": "BGR"},
    "recipe_version": 2,
}


def test_every_field_of_an_embedder_changes_the_digest():
    assert set(CHANGES) == {f.name for f in dataclasses.fields(EmbedderSpec)}
    digests = {dataclasses.replace(SPEC, **{name: value}).embedder_digest for name, value in CHANGES.items()}
    assert len(digests | {SPEC.embedder_digest}) == len(CHANGES) + 1


def test_the_digest_is_the_same_in_every_process_and_version():
    # sha256sum of the canonical JSON, computed with coreutils 9.1:
    # printf '%s' '{"a":[1,2],"b":"é"}' with é as the escape that json.dumps writes
    assert canonical_json({"b": "é", "a": [1, 2]}) == '{"a":[1,2],"b":"\\u00e9"}'
    assert digest_of({"b": "é", "a": [1, 2]}) == digest_of(json.loads('{"a":[1,2],"b":"\\u00e9"}'))
    assert digest_of({}) == "44136fa355b3678a"  # printf '{}' | sha256sum


def test_a_specification_survives_json():
    table = TableSpec(SPEC, "hog", {"upsample": 1, "threshold": 0.0}, faces="all", min_face_px=20, no_face="whole")
    again = TableSpec.from_json(json.loads(json.dumps(table.to_json())))
    assert again == table
    assert again.table_digest == table.table_digest


@pytest.mark.parametrize(
    "change",
    [
        {"detector": "cnn"},
        {"detector_settings": {"upsample": 2}},
        {"faces": "all"},
        {"min_face_px": 9},
        {"no_face": "whole"},
    ],
)
def test_detection_changes_the_table_digest_but_not_the_embedders(change):
    table = TableSpec(SPEC, "hog", {"upsample": 1})
    other = dataclasses.replace(table, **change)
    assert other.table_digest != table.table_digest
    assert other.detection_digest != table.detection_digest
    assert other.embedder_digest == table.embedder_digest


def test_another_embedder_leaves_the_detection_digest():
    table = TableSpec(SPEC, "hog")
    other = table.with_embedder(dataclasses.replace(SPEC, flip=True))
    assert other.detection_digest == table.detection_digest
    assert other.table_digest != table.table_digest


@given(st.sampled_from(sorted(CHANGES)))
def test_a_missing_field_is_refused_with_its_name(name):
    values = SPEC.to_json()
    del values[name]
    with pytest.raises(ValueError, match=f"missing: .*{name}.*[Ee]xtract again"):
        EmbedderSpec.from_json(values)


def test_an_unknown_field_is_refused_with_its_name():
    with pytest.raises(ValueError, match="unknown: .*colour"):
        EmbedderSpec.from_json({**SPEC.to_json(), "colour": 1})


def test_a_dimension_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1; got 0"):
        dataclasses.replace(SPEC, dimension=0)
