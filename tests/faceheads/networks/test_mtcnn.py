"""MTCNN's networks: their fast parts against torch's own, and their files."""

from __future__ import annotations

import pytest
import torch

from faceheads.networks.mtcnn import FinisherNet, ProposalNet, RefinerNet, _MaxOfFour, _RowPReLU, build_mtcnn


@pytest.mark.parametrize("shape", [(1, 10, 8, 8), (2, 10, 7, 12), (3, 5, 11, 9), (1, 10, 1, 1)])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_the_fast_layers_are_torchs_layers(shape, memory_format):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).contiguous(memory_format=memory_format)
    prelu, row_prelu = torch.nn.PReLU(shape[1]), _RowPReLU(shape[1])
    slopes = torch.linspace(-1, 1, shape[1])
    prelu.weight.data[:] = row_prelu.weight.data[:] = slopes
    assert torch.equal(row_prelu(x), prelu(x))
    assert torch.equal(_MaxOfFour()(x), torch.nn.MaxPool2d(2, 2, ceil_mode=True)(x))


def save_networks(folder, networks):
    paths = [folder / f"{type(network).__name__}.pt" for network in networks]
    for network, path in zip(networks, paths, strict=True):
        torch.save(network.state_dict(), path)
    return paths


def test_networks_come_back_from_their_files_frozen(tmp_path):
    saved = ProposalNet(), RefinerNet(), FinisherNet()
    loaded = build_mtcnn(*save_networks(tmp_path, saved))
    for network, original in zip(loaded, saved, strict=True):
        assert not network.training
        assert not any(parameter.requires_grad for parameter in network.parameters())
        assert all(torch.equal(a, b) for a, b in zip(network.parameters(), original.parameters(), strict=True))


def test_files_in_another_order_are_refused(tmp_path):
    pnet, rnet, onet = save_networks(tmp_path, (ProposalNet(), RefinerNet(), FinisherNet()))
    with pytest.raises(ValueError, match="RefinerNet.pt does not fit ProposalNet"):
        build_mtcnn(rnet, pnet, onet)


def test_every_window_of_the_proposal_network_is_judged_on_its_own_pixels(tmp_path):
    network = ProposalNet().eval().requires_grad_(False)
    image = torch.rand(1, 3, 40, 33, generator=torch.Generator().manual_seed(1))
    probabilities, moves = network(image)
    row, column = 5, 7
    alone = network(image[:, :, 2 * row : 2 * row + 12, 2 * column : 2 * column + 12])
    torch.testing.assert_close(probabilities[:, row, column], alone[0][:, 0, 0])
    torch.testing.assert_close(moves[:, :, row, column], alone[1][:, :, 0, 0])


@pytest.mark.parametrize("n_rows", [12, 13, 14, 23, 40, 41])
@pytest.mark.parametrize("strip_rows", [0, 12, 15, 20, 40])
def test_strips_give_what_the_whole_image_gives(n_rows, strip_rows):
    network = ProposalNet().eval().requires_grad_(False)
    images = torch.rand(2, 3, n_rows, 17, generator=torch.Generator().manual_seed(2))
    for whole, joined in zip(network(images), network.in_strips(images, strip_rows), strict=True):
        torch.testing.assert_close(joined, whole)


def test_a_large_image_is_not_seen_at_once():
    network, seen = ProposalNet().eval().requires_grad_(False), []
    network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[2]))
    network.in_strips(torch.rand(1, 3, 100, 17), 30)
    assert max(seen) <= 30
    assert len(seen) == 5


def test_crops_give_one_judgement_each():
    crops = torch.rand(3, 3, 24, 24)
    probabilities, moves = RefinerNet()(crops)
    assert (probabilities.shape, moves.shape) == ((3,), (3, 4))
    probabilities, moves, landmarks = FinisherNet()(torch.rand(3, 3, 48, 48))
    assert (probabilities.shape, moves.shape, landmarks.shape) == ((3,), (3, 4), (3, 5, 2))
