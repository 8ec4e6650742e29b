"""dlib's embedding network in torch gives what dlib gives, and its stages are what they are called."""

import subprocess
import sys
from dataclasses import replace

import dlib
import numpy as np
import pytest
import torch

from faceheads.networks import dlib_resnet
from faceheads.networks.dlib_format import read_dlib_network
from faceheads.networks.dlib_network import Relu
from faceheads.networks.dlib_resnet import DlibResNet, build_dlib_resnet
from faceheads.networks.dlib_resnet_layers import layer_dimension
from faceheads.weights import find_weights
from tests.faceheads.networks import dlib_files as files

#: What the issue demands of the embedding against dlib's, per component.
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def weights():
    return find_weights("dlib_resnet")


@pytest.fixture(scope="module")
def network(weights):
    return build_dlib_resnet(weights).requires_grad_(False)


@pytest.fixture(scope="module")
def unfolded(weights):
    return build_dlib_resnet(weights, is_folded=False).requires_grad_(False)


@pytest.fixture(scope="module")
def chips():
    """Chips that are no faces: gray, noise, black and white halves, colour ramps; uint8, (5, 150, 150, 3)."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 255, 150)
    ramps = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], ramp[::-1, None]), axis=2)
    halves = np.where(np.arange(150)[:, None, None] < 70, 0, 255) * np.ones((150, 150, 3))
    noise = rng.integers(0, 256, (2, 150, 150, 3))
    return np.stack([np.full((150, 150, 3), 128), *noise, halves, ramps]).astype(np.uint8)


@pytest.fixture(scope="module")
def dlib_model(weights):
    return dlib.face_recognition_model_v1(str(weights))


def as_tensor(chips):
    return torch.from_numpy(chips).permute(0, 3, 1, 2)


def reference(dlib_model, chips):
    """dlib's own embeddings, one chip at a time."""
    return np.array([dlib_model.compute_face_descriptor(chip) for chip in chips])


def test_embeddings_equal_dlibs_on_chips_of_any_content(network, dlib_model, chips):
    np.testing.assert_allclose(network(as_tensor(chips)), reference(dlib_model, chips), rtol=0, atol=TOLERANCE)


def test_embeddings_equal_dlibs_on_real_faces(network, dlib_model, lfw_photos):
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(find_weights("dlib_landmarks5")))
    photos = [dlib.load_rgb_image(str(path)) for path in lfw_photos[::12]]
    chips = np.stack(
        [dlib.get_face_chip(photo, predictor(photo, box), 150, 0.25) for photo in photos for box in detector(photo, 0)]
    )
    assert len(chips) >= 8
    np.testing.assert_allclose(network(as_tensor(chips)), reference(dlib_model, chips), rtol=0, atol=TOLERANCE)


def test_the_folded_network_computes_what_the_file_says(network, unfolded, chips):
    layers = ("stem", "block04@3x2", "stage4", "final")
    torch.testing.assert_close(
        network(as_tensor(chips), layers), unfolded(as_tensor(chips), layers), rtol=1e-4, atol=1e-5
    )


def test_folding_a_folded_network_copies_it(network, chips):
    copy = network.folded()
    assert copy is not network
    torch.testing.assert_close(copy(as_tensor(chips[:1])), network(as_tensor(chips[:1])), rtol=0, atol=0)


def test_float_and_uint8_chips_give_equal_embeddings(network, chips):
    x = as_tensor(chips[:2])
    torch.testing.assert_close(network(x), network(x.float()), rtol=0, atol=0)


@pytest.mark.parametrize("name", [*DlibResNet.layer_names, "stem@35x35", "block03@2x2", "stage2@1x17", "stage5@2x1"])
def test_every_layer_has_the_dimension_that_it_announces(network, chips, name):
    vectors = network(as_tensor(chips[:1]), (name,))
    assert vectors.shape == (1, network.layer_dimension(name)) == (1, layer_dimension(name))


def test_layers_stand_side_by_side_in_the_order_given(network, chips):
    x = as_tensor(chips[:2])
    parts = [network(x, (name,)) for name in ("final", "block02", "stage3@2x2")]
    torch.testing.assert_close(network(x, ("final", "block02", "stage3@2x2")), torch.cat(parts, dim=1))


def test_a_grid_holds_the_means_of_its_cells_channel_by_channel(network, chips):
    x = as_tensor(chips[1:2])
    pixels = network(x, ("block10@8x8",)).reshape(128, 8, 8)
    quarters = [pixels[:, r : r + 4, c : c + 4].mean((1, 2)) for r in (0, 4) for c in (0, 4)]
    torch.testing.assert_close(network(x, ("block10@2x2",)).reshape(128, 4), torch.stack(quarters, dim=1))
    torch.testing.assert_close(network(x, ("block10",))[0], pixels.mean((1, 2)))


@pytest.mark.parametrize(("stage", "block"), [("stage1", "block03"), ("stage3", "block10"), ("stage5", "block14")])
def test_a_stage_is_its_last_block(network, chips, stage, block):
    vectors = network(as_tensor(chips[:1]), (stage, block))
    torch.testing.assert_close(*vectors.chunk(2, dim=1), rtol=0, atol=0)


def test_the_embedding_is_linear_in_the_last_stage(network, chips):
    vectors = network(as_tensor(chips), ("stage5", "final"))
    torch.testing.assert_close(vectors[:, :256] @ network.fc.weight.T, vectors[:, 256:])


def test_blocks_behind_the_last_layer_wanted_are_not_computed(network, chips):
    calls = []
    hooks = [block.register_forward_hook(lambda *_: calls.append(1)) for block in network.blocks]
    network(as_tensor(chips[:1]), ("stem", "block05"))
    for hook in hooks:
        hook.remove()
    assert len(calls) == 5


@pytest.mark.parametrize(
    "name", ["block15", "stage0", "final@2x2", "stem@", "stem@0x1", "stem@2", "block1", "stem@1x1x1"]
)
def test_an_unknown_layer_is_an_error_that_lists_the_known(network, chips, name):
    with pytest.raises(ValueError, match="one of stem, block01"):
        network(as_tensor(chips[:1]), (name,))


def test_a_grid_finer_than_the_plane_is_an_error(network):
    with pytest.raises(ValueError, match="at most 2x2; got 'block14@3x1'"):
        network.layer_dimension("block14@3x1")


def test_no_layers_are_an_error(network, chips):
    with pytest.raises(ValueError, match="at least one layer"):
        network(as_tensor(chips[:1]), ())


@pytest.mark.parametrize("shape", [(1, 150, 150, 3), (1, 3, 160, 160), (3, 150, 150)])
def test_chips_of_another_shape_are_an_error(network, shape):
    with pytest.raises(ValueError, match=r"shape \(n_chips, 3, 150, 150\)"):
        network(torch.zeros(shape, dtype=torch.uint8))


@pytest.mark.parametrize("is_folded", [True, False])
def test_every_parameter_gets_a_gradient(weights, chips, is_folded):
    network = build_dlib_resnet(weights, is_folded=is_folded)
    network(as_tensor(chips[1:2])).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().max() > 0 for parameter in network.parameters())


def test_the_parameters_are_those_that_dlib_trains(unfolded):
    # 29 convolutions with biases, gamma and beta each, and the last matrix, counted from anet of dnn_face_recognition_ex.cpp.
    pairs = [(3, 32, 7)] + [(32, 32, 3)] * 6 + [(32, 64, 3)] + [(64, 64, 3)] * 7 + [(64, 128, 3)] + [(128, 128, 3)] * 5
    pairs += [(128, 256, 3)] + [(256, 256, 3)] * 7
    expected = sum(inputs * outputs * window**2 + 3 * outputs for inputs, outputs, window in pairs) + 256 * 128
    assert sum(parameter.numel() for parameter in unfolded.parameters()) == expected


def test_a_file_with_another_network_is_refused():
    with pytest.raises(ValueError, match="does not hold dlib's face recognition network"):
        build_dlib_resnet(find_weights("dlib_cnn_detector"))


def test_a_file_with_another_stem_is_refused(tmp_path):
    path = tmp_path / "other.dat"
    path.write_bytes(files.network(files.convolution(np.zeros((32, 3, 5, 5)), np.zeros(32), (2, 2))))
    with pytest.raises(ValueError, match=r"layer 0 must be a convolution of shape \(32, 3, 7, 7\).*got Convolution"):
        build_dlib_resnet(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda layers: (*layers, Relu()), "must be the end; got Relu"),
        (lambda layers: layers[:-1], "without biases; got the end"),
        (
            lambda layers: (*layers[:-1], replace(layers[-1], biases=np.zeros(128))),
            "without biases; got FullyConnected",
        ),
    ],
)
def test_a_network_that_ends_otherwise_is_refused(weights, monkeypatch, change, message):
    network = read_dlib_network(weights)
    changed = replace(network, layers=change(network.layers))
    monkeypatch.setattr(dlib_resnet, "read_dlib_network", lambda path: changed)
    with pytest.raises(ValueError, match=message):
        build_dlib_resnet(weights)


def test_importing_the_package_does_not_import_torch():
    code = "import sys, faceheads.networks; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
