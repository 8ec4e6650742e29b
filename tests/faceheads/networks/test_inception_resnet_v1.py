"""Inception-ResNet v1 against facenet-pytorch's class with the same random weights; the real ones are not at hand."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from faceheads.networks.inception_resnet_v1 import (
    LAYER_DIMENSIONS,
    MIN_SIZE_PX,
    InceptionResnetV1,
    build_inception_resnet_v1,
    layer_dimension,
)


def randomise(network):
    """Weights and statistics that leave no layer's contribution small."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(module.weight, generator=generator)
        elif isinstance(module, (torch.nn.BatchNorm2d, torch.nn.BatchNorm1d)):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.normal_(0, 0.1, generator=generator)
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def network():
    return randomise(InceptionResnetV1())


@pytest.fixture(scope="module")
def reference(network):
    if importlib.util.find_spec("facenet_pytorch") is None or importlib.util.find_spec("torchvision") is None:
        pytest.skip("needs what it is compared with: pip install --no-deps facenet-pytorch==2.5.3 torchvision==0.28.0")
    from faceheads.networks.torchvision_guard import ensure_torchvision

    ensure_torchvision()
    from facenet_pytorch import InceptionResnetV1 as Reference

    reference = Reference().eval()
    reference.load_state_dict(network.state_dict())
    return reference


@pytest.fixture(scope="module")
def crops():
    return torch.randint(0, 256, (2, 3, 160, 160), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_embeddings_equal_those_of_facenet_pytorch(network, reference, crops):
    expected = reference((crops.float() - 127.5) / 128)  # facenet_pytorch.fixed_image_standardization
    torch.testing.assert_close(network(crops), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("layer", "module"),
    [("prelogits", "block8"), *((n, n) for n in LAYER_DIMENSIONS if n not in ("prelogits", "final"))],
)
def test_layers_are_the_pooled_activations_of_facenet_pytorchs_modules(network, reference, crops, layer, module):
    seen = []
    hook = reference.get_submodule(module).register_forward_hook(lambda _, __, output: seen.append(output))
    reference((crops.float() - 127.5) / 128)
    hook.remove()
    torch.testing.assert_close(network(crops, (layer,)), seen[0].mean((2, 3)), atol=1e-5, rtol=1e-5)


def test_an_embedding_has_length_one(network, crops):
    torch.testing.assert_close(network(crops).norm(dim=1), torch.ones(2))


def test_several_layers_stand_side_by_side_in_the_order_asked_for(network, crops):
    vectors = network(crops, ("final", "repeat_1"))
    assert vectors.shape == (2, layer_dimension("final") + layer_dimension("repeat_1"))
    torch.testing.assert_close(vectors[:, :512], network(crops))
    torch.testing.assert_close(vectors[:, 512:], network(crops, ("repeat_1",)))


def test_every_layer_has_the_dimension_that_is_announced(network, crops):
    for name in network.layer_names:
        assert network(crops[:1], (name,)).shape == (1, network.layer_dimension(name))


def test_stages_behind_the_last_layer_needed_are_not_computed(network, crops):
    hook = network.mixed_6a.register_forward_hook(lambda *_: pytest.fail("computed"))
    network(crops[:1], ("repeat_1",))
    hook.remove()


def test_memory_order_does_not_change_the_embedding(network, crops):
    channels_last = crops.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(network(channels_last), network(crops), atol=1e-6, rtol=0)


def test_the_smallest_crop_has_an_embedding(network):
    assert network(torch.zeros(1, 3, MIN_SIZE_PX, MIN_SIZE_PX)).isfinite().all()


@pytest.mark.parametrize("shape", [(3, 160, 160), (1, 1, 160, 160), (1, 3, MIN_SIZE_PX - 1, 160)])
def test_crops_of_another_shape_are_an_error(network, shape):
    with pytest.raises(ValueError, match="crops must have shape"):
        network(torch.zeros(shape))


@pytest.mark.parametrize(("layers", "message"), [((), "at least one layer"), (("final", "logits"), "got 'logits'")])
def test_unknown_layers_are_an_error(network, crops, layers, message):
    with pytest.raises(ValueError, match=message):
        network(crops, layers)


def test_a_file_gives_its_network_in_evaluation_mode_without_the_classifier(network, crops, tmp_path):
    classifier = {"logits.weight": torch.zeros(10, 512), "logits.bias": torch.zeros(10)}
    torch.save({**network.state_dict(), **classifier}, tmp_path / "weights.pt")
    loaded = build_inception_resnet_v1(tmp_path / "weights.pt")
    assert not loaded.training
    torch.testing.assert_close(loaded(crops), network(crops))


def test_a_file_of_another_network_is_refused(tmp_path):
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "weights.pt")
    with pytest.raises(ValueError, match="does not fit InceptionResnetV1"):
        build_inception_resnet_v1(tmp_path / "weights.pt")
