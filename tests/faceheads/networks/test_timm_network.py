"""timm's networks as embedders: what goes in, what comes out, and what is not built."""

import sys
from importlib.util import find_spec

import pytest
import torch

from faceheads.extra import MissingPackage
from faceheads.networks import timm_network
from faceheads.networks.exported import build_network, load_exported, save_exported
from faceheads.networks.timm_network import TIMM_NAMES, TimmNetwork, import_timm
from faceheads.spec import EmbedderSpec

if find_spec("timm") is None:
    pytest.skip("timm is not installed", allow_module_level=True)
timm = import_timm("this test")
SMALL_CONVOLUTIONS, SMALL_TRANSFORMER = "timm:test_resnet", "timm:test_vit"


def crops(size_px=40, n_crops=2):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n_crops, 3, size_px, size_px), dtype=torch.uint8, generator=generator)


def small(name):
    torch.manual_seed(0)
    return TimmNetwork(name).eval()


@pytest.mark.parametrize("name", TIMM_NAMES)
def test_timm_has_the_network_and_the_training_of_every_short_name(name):
    assert timm.is_model(TIMM_NAMES[name])
    tags = timm.list_pretrained(TIMM_NAMES[name].partition(".")[0] + ".*")
    assert TIMM_NAMES[name] in tags


# Width of what lies before the classes: He 2016 table 1; Howard 2019 table 1; Tan 2019 table 1, times 1.1 for B2; Simonyan
# 2015 table 1; Caron 2021 table 1. The others differ from these in depth, or in the factor of the width.
WIDTHS = {"resnet50": 2048, "mobilenet_v3": 1280, "efficientnet_b2": 1408, "vgg16": 512, "vit_small": 384}


@pytest.mark.parametrize(("name", "dimension"), WIDTHS.items())
def test_embeddings_have_the_published_width_whatever_the_size_of_crops(name, dimension):
    with torch.device("meta"):
        network = TimmNetwork(name).eval()
        shape = network(torch.empty(2, 3, 150, 150)).shape
    assert shape == (2, dimension) and network.layer_dimension("final") == dimension
    stages = [parameter for stage in network.stages() for parameter in stage]
    assert sorted(stages) == sorted(name for name, _ in network.named_parameters())


def test_vgg_comes_without_its_fully_connected_layers():
    with torch.device("meta"):
        n_parameters = sum(parameter.numel() for parameter in TimmNetwork("vgg16").parameters())
    assert n_parameters == 14_714_688  # thirteen convolutions: (9 · inputs + 1) · outputs each


def test_pixels_are_normalised_inside_as_timm_does_it_outside():
    network = small(SMALL_CONVOLUTIONS)
    torch.manual_seed(0)
    theirs = timm.create_model("test_resnet", num_classes=0)
    theirs.load_state_dict(network.network.state_dict())
    config = theirs.pretrained_cfg
    mean, deviation = (torch.tensor(config[key])[:, None, None] for key in ("mean", "std"))
    with torch.inference_mode():
        expected = theirs.eval()((crops() / 255 - mean) / deviation)
        torch.testing.assert_close(network(crops()), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", [SMALL_CONVOLUTIONS, SMALL_TRANSFORMER])
@pytest.mark.parametrize("size_px", [40, 64])
def test_a_copy_for_one_size_computes_the_same(name, size_px):
    network = small(name)
    with torch.inference_mode():
        expected = network(crops(size_px))
        torch.testing.assert_close(network.fixed_to((size_px, size_px))(crops(size_px)), expected)
        torch.testing.assert_close(network(crops(size_px)), expected, atol=0, rtol=0)


def test_it_is_exported_and_read_again_with_its_normalisation(tmp_path):
    network = small(SMALL_TRANSFORMER)
    network.mean_rgb += 3
    save_exported(tmp_path, EmbedderSpec(SMALL_TRANSFORMER, "", network.dimension, "dlib5"), network)
    with torch.inference_mode():
        assert torch.equal(load_exported(tmp_path)[1].eval()(crops()), network(crops()))


def test_positions_and_class_tokens_are_told_apart_from_matrices():
    network = small(SMALL_TRANSFORMER)
    names = {name for name, _ in network.named_parameters()}
    assert network.undecayed() & names == {"network.pos_embed", "network.cls_token"}
    assert not small(SMALL_CONVOLUTIONS).undecayed()


@pytest.mark.parametrize(
    "name",
    ["hf-hub:someone/something", "local-dir:/tmp", "../x", "no_such", "", "test_resnet.no_such", "test_resnet.a/../b"],
)
def test_names_that_timm_does_not_define_are_refused(name):
    with pytest.raises(ValueError, match="has no network"):
        build_network(f"timm:{name}")


def test_a_network_that_is_too_large_is_not_built(monkeypatch):
    monkeypatch.setattr(timm_network, "MAX_PARAMETERS", 1000)
    with pytest.raises(ValueError, match="must have at most 1000 parameters; it has"):
        TimmNetwork(SMALL_CONVOLUTIONS)


def test_without_timm_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(
        MissingPackage, match=r"The network 'mobilenet_v3' needs timm, .* pip install \"faceheads\[finetune\]\""
    ):
        build_network("mobilenet_v3")


def test_an_unknown_network_lists_those_there_are():
    with pytest.raises(
        ValueError, match=r"dlib, dlib_traces, facenet, resnet18, resnet50, .* or timm:NAME; got 'alexnet'"
    ):
        build_network("alexnet")


@pytest.mark.parametrize(
    ("wrong", "message"), [({"layers": ("stage3",)}, "must be 'final'"), ({"layers": ()}, "at least one layer")]
)
def test_other_layers_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        small(SMALL_CONVOLUTIONS)(crops(), **wrong)


def test_networks_of_one_size_say_which():
    with torch.device("meta"):
        network = TimmNetwork("timm:levit_128s")
    with pytest.raises(
        ValueError, match=r"timm:levit_128s takes crops of 224 × 224 pixels only; got \(2, 3, 40, 40\)"
    ):
        network(crops())


def test_crops_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="at least 32 × 32"):
        small(SMALL_CONVOLUTIONS)(crops(size_px=31))
