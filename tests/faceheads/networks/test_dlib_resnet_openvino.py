"""dlib's embedding network in OpenVINO gives what dlib gives and what torch gives; needs the extra ``fast``."""

from concurrent.futures import ThreadPoolExecutor

import dlib
import numpy as np
import pytest
import torch

pytest.importorskip("openvino")

from faceheads.networks.dlib_resnet import build_dlib_resnet
from faceheads.networks.dlib_resnet_openvino import PRECISION, OpenVinoDlibResNet
from faceheads.weights import find_weights

#: What the issue demands of the embedding against dlib's, per component.
TOLERANCE = 1e-5
CHIPS = np.random.default_rng(0).integers(0, 256, (3, 150, 150, 3), np.uint8)


@pytest.fixture(scope="module")
def network():
    return build_dlib_resnet(find_weights("dlib_resnet"))


@pytest.fixture(scope="module")
def compiled(network):
    return OpenVinoDlibResNet(network)


def test_embeddings_equal_dlibs(compiled):
    model = dlib.face_recognition_model_v1(str(find_weights("dlib_resnet")))
    expected = np.array([model.compute_face_descriptor(chip) for chip in CHIPS])
    np.testing.assert_allclose(compiled(CHIPS), expected, rtol=0, atol=TOLERANCE)


def test_every_kind_of_layer_equals_torchs(network):
    layers = ("final", "stem@3x2", "block02", "block10@8x8", "stage2@1x17", "block14")
    found = OpenVinoDlibResNet(network, layers)(CHIPS)
    with torch.inference_mode():
        expected = network(torch.from_numpy(CHIPS).permute(0, 3, 1, 2), layers).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=TOLERANCE)
    assert found.dtype == np.float32


def test_an_unfolded_network_gives_the_same(compiled):
    unfolded = build_dlib_resnet(find_weights("dlib_resnet"), is_folded=False)
    np.testing.assert_allclose(OpenVinoDlibResNet(unfolded)(CHIPS), compiled(CHIPS), rtol=0, atol=1e-7)


def test_the_precision_is_float32_whatever_the_processor_has(compiled):
    assert PRECISION == "f32"
    assert compiled._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == PRECISION


def test_chips_need_not_be_contiguous_and_are_not_written_to(compiled):
    mirrored = CHIPS[:, :, ::-1]
    mirrored.setflags(write=False)
    np.testing.assert_array_equal(compiled(mirrored), compiled(mirrored.copy()))


def test_no_chips_have_no_embeddings(compiled):
    assert compiled(CHIPS[:0]).shape == (0, 128)


def test_threads_may_share_a_network(compiled):
    batches = [CHIPS[:1], CHIPS[1:], CHIPS, CHIPS[::-1]]
    expected = [compiled(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        for found, one in zip(pool.map(compiled, batches), expected, strict=True):
            np.testing.assert_allclose(found, one, rtol=0, atol=1e-7)


@pytest.mark.parametrize("chips", [CHIPS[0], CHIPS.astype(np.float32), CHIPS[:, :149], CHIPS.transpose(0, 3, 1, 2)])
def test_what_are_no_chips_is_refused(compiled, chips):
    with pytest.raises(ValueError, match=r"chips must be a uint8 array of shape \(n_chips, 150, 150, 3\); got"):
        compiled(chips)


def test_an_unknown_layer_is_refused(network):
    with pytest.raises(ValueError, match="one of stem, block01"):
        OpenVinoDlibResNet(network, ("block15",))
