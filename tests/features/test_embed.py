"""Embedders: what the user asks for is what is built, in batches, from folders, with the same numbers as dlib's own code."""

import json

import numpy as np
import pytest

from faceheads.networks.exported import SPEC_NAME, WEIGHTS_NAME, build_network, load_exported, save_exported
from features.embed import EmbedderRequest

CROPS = np.random.default_rng(0).integers(0, 256, (5, 150, 150, 3), np.uint8)


@pytest.fixture(scope="module")
def dlib():
    return EmbedderRequest("dlib").build()


@pytest.fixture
def exported(tmp_path, dlib):
    save_exported(tmp_path / "net", dlib.spec, dlib._module)
    return tmp_path / "net"


def test_dlibs_own_code_gives_the_same_numbers_and_the_same_digest(dlib):
    reference = EmbedderRequest("dlib-reference").build()
    np.testing.assert_allclose(dlib.embed(CROPS), reference.embed(CROPS), atol=1e-5)
    assert dlib.spec.embedder_digest == reference.spec.embedder_digest


def test_the_batch_size_does_not_change_the_numbers(dlib):
    two = EmbedderRequest("dlib", batch_size=2).build()
    np.testing.assert_allclose(dlib.embed(CROPS), two.embed(CROPS), atol=1e-6)
    assert two.spec == dlib.spec


def test_a_preset_is_its_layers_side_by_side(dlib):
    attributes = EmbedderRequest("dlib", layers=("attributes",)).build()
    single = [EmbedderRequest("dlib", layers=(name,)).build() for name in attributes.spec.layers]
    assert attributes.spec.dimension == sum(one.spec.dimension for one in single) > dlib.spec.dimension
    side_by_side = np.concatenate([one.embed(CROPS[:2]) for one in single], axis=1)
    np.testing.assert_allclose(attributes.embed(CROPS[:2]), side_by_side, atol=1e-6)


def test_flip_is_the_mean_with_the_mirror_image(dlib):
    flipped = EmbedderRequest("dlib", flip=True).build().embed(CROPS)
    mirrored = dlib.embed(np.ascontiguousarray(CROPS[:, :, ::-1]))
    np.testing.assert_allclose(flipped, (dlib.embed(CROPS) + mirrored) / 2, atol=1e-6)


def test_an_exported_network_gives_the_numbers_it_had(dlib, exported):
    again = EmbedderRequest(str(exported)).build()
    np.testing.assert_array_equal(again.embed(CROPS), dlib.embed(CROPS))
    assert again.spec.weights_sha256 != dlib.spec.weights_sha256


def test_an_exported_network_is_asked_for_by_path_where_a_head_needs_it(exported):
    spec, _ = load_exported(exported)
    with pytest.raises(ValueError, match="--embedder PATH"):
        EmbedderRequest.from_spec(spec)
    assert EmbedderRequest.from_spec(spec, str(exported)).build().spec == spec


def test_layers_that_an_exported_network_does_not_give_are_refused(exported):
    with pytest.raises(ValueError, match=r"--layers: .* exported with \('final',\); got \('block07',\)"):
        EmbedderRequest(str(exported), layers=("block07",)).build()


def test_built_in_networks_are_found_from_a_specification_alone(dlib):
    assert EmbedderRequest.from_spec(dlib.spec).build().spec == dlib.spec


def test_other_weights_than_the_specification_names_are_refused(exported):
    data = bytearray((exported / WEIGHTS_NAME).read_bytes())
    data[-1] ^= 1
    (exported / WEIGHTS_NAME).write_bytes(bytes(data))
    with pytest.raises(ValueError, match="sha256 .* says"):
        load_exported(exported)


def test_folders_that_are_no_networks_are_refused(exported, tmp_path):
    with pytest.raises(ValueError, match=f"it has no {SPEC_NAME}"):
        EmbedderRequest(str(tmp_path)).build()
    values = json.loads((exported / SPEC_NAME).read_text())
    (exported / SPEC_NAME).write_text(json.dumps({**values, "network": "facenet"}))
    with pytest.raises(ValueError, match="does not fit the network 'facenet'"):
        load_exported(exported)
    (exported / SPEC_NAME).write_text("{")
    with pytest.raises(ValueError, match="not an embedder specification"):
        load_exported(exported)
    with pytest.raises(ValueError, match="must be dlib or facenet; got 'vit'"):
        build_network("vit")
