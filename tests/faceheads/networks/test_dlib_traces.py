"""dlib's network with traces beside it: dlib's numbers stay, and the rest depends on nothing but the finest detail."""

import numpy as np
import pytest
import torch

from faceheads.networks.dlib_resnet import build_dlib_resnet
from faceheads.networks.dlib_traces import DlibTraces
from faceheads.networks.exported import load_exported, save_exported
from faceheads.spec import EmbedderSpec
from faceheads.weights import find_weights

N_IDENTITY = 128


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = DlibTraces(is_folded=False)
    network.identity = build_dlib_resnet(find_weights("dlib_resnet"), is_folded=False)
    network.traces.norm.running_mean.uniform_(0, 1)
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def crops():
    """Smooth colours with fine noise, as photos have."""
    rng = np.random.default_rng(0)
    slope = np.linspace(60, 180, 150)[None, :, None, None] + np.zeros((3, 150, 150, 3))
    pixels = (slope + rng.normal(0, 3, slope.shape)).clip(0, 255).astype(np.uint8)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def test_it_begins_with_the_numbers_of_dlibs_network(network, crops):
    embedding = network(crops)
    assert embedding.shape == (3, 132)
    assert torch.equal(embedding[:, :N_IDENTITY], network.identity(crops))


def test_traces_are_those_of_fine_detail_alone_and_bounded(network, crops):
    traces = network(crops)[:, N_IDENTITY:]
    assert traces.abs().max() <= 0.2
    brighter = network(crops.float() + 40)[:, N_IDENTITY:]
    torch.testing.assert_close(brighter, traces, atol=1e-4, rtol=0)
    smooth = torch.nn.functional.avg_pool2d(crops.float(), 5, 1, 2, count_include_pad=False)
    assert (network(smooth)[:, N_IDENTITY:] - traces).abs().max() > 1e-3


def test_luma_and_colour_differences_are_those_of_jpeg(network):
    # ITU-T T.871, section 7: white, and pure blue, whose Cb is half of 255 above the offset.
    colours = torch.tensor([[255.0, 255.0, 255.0], [0.0, 0.0, 255.0]]).T
    expected = torch.tensor([[255.0, 29.07], [0.0, 127.5], [0.0, -20.735]])
    torch.testing.assert_close(network.traces.ycbcr @ colours, expected, atol=2e-3, rtol=0)


def test_folded_and_unfolded_compute_the_same(network, crops):
    expected = network(crops)
    folded = network.folded()
    assert folded.identity.is_folded and not folded.unfolded().identity.is_folded
    for twin in (folded, folded.unfolded()):
        torch.testing.assert_close(twin(crops), expected, atol=1e-5, rtol=0)


def test_it_is_exported_and_read_again(tmp_path, network, crops):
    save_exported(tmp_path, EmbedderSpec("dlib_traces", "", 132, "dlib5"), network.folded())
    spec, again = load_exported(tmp_path)
    assert spec.network == "dlib_traces"
    torch.testing.assert_close(again.eval()(crops), network(crops), atol=1e-5, rtol=0)


def test_other_layers_and_crops_are_refused(network, crops):
    with pytest.raises(ValueError, match="must be 'final'; got 'block14'"):
        network(crops, ("block14",))
    for wrong in (crops[:, :, :100], torch.zeros(1, 3, 160, 160)):
        with pytest.raises(ValueError, match="150"):
            network(wrong)
