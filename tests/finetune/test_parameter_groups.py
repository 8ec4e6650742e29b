"""How fast each parameter learns, against factors worked out by hand."""

import pytest
import torch
from torch import nn

from finetune.backbones import build_backbone
from finetune.parameter_groups import parameter_groups
from finetune.recipes import Recipe


def settings_of(groups):
    """The highest learning rate and the weight decay of each parameter, by its identity."""
    found = {}
    for group in groups:
        assert group["lr"] == group["highest_lr"]
        found.update({id(parameter): (group["lr"], group["weight_decay"]) for parameter in group["params"]})
    return found


def test_each_stage_learns_more_slowly_than_the_one_behind_it():
    network, task = build_backbone("resnet18"), nn.Linear(2, 2)
    chosen = Recipe("gender", "resnet18", lr=0.2, backbone_lr=0.5, layer_decay=0.1, weight_decay=0.3)
    found = settings_of(parameter_groups(network, task, chosen))
    assert found[id(task.weight)] == (0.2, 0.3)
    factor = {"conv1": 1e-4, "bn1": 1e-4, "layer1": 1e-3, "layer2": 1e-2, "layer3": 1e-1, "layer4": 1.0}
    for name, parameter in network.named_parameters():
        lr, decay = found[id(parameter)]
        assert lr == pytest.approx(0.2 * 0.5 * factor[name.split(".")[0]]), name
        assert decay == (0.3 if name.endswith("weight") and parameter.ndim > 1 else 0.0), name
    assert len(found) == len(list(network.parameters())) + 2


def test_in_a_network_without_normalisation_both_factors_count():
    network = build_backbone("dlib")
    chosen = Recipe("gender", "dlib", lr=0.2, layer_decay=0.5)
    found = settings_of(parameter_groups(network, nn.Linear(2, 2), chosen))
    for weight, factor in (
        (network.fc.weight, 1.0),
        (network.blocks[12].conv1.conv.weight, 0.5),
        (network.stem.conv.weight, 1 / 32),
    ):
        size = max(1e-3, weight.detach().square().mean().sqrt().item())
        assert found[id(weight)][0] == pytest.approx(0.2 * factor * size)


def test_beside_dlibs_network_only_its_own_tensors_learn_in_proportion_to_their_size():
    network = build_backbone("dlib_traces")
    found = settings_of(parameter_groups(network, nn.Linear(2, 2), Recipe("gender", "dlib_traces", lr=0.2)))
    size = network.identity.fc.weight.detach().square().mean().sqrt().item()
    assert found[id(network.identity.fc.weight)][0] == pytest.approx(0.2 * size)
    assert found[id(network.traces.fc.weight)] == (0.2, 0.01) and found[id(network.traces.norm.weight)] == (0.2, 0.0)
    assert len(found) == len(list(network.parameters())) + 2


def test_stages_that_never_learn_are_left_out():
    network = build_backbone("resnet18")
    chosen = Recipe("gender", "resnet18", lr=0.2, layer_decay=0.1, freeze=3)
    found = settings_of(parameter_groups(network, nn.Identity(), chosen))
    for name, parameter in network.named_parameters():
        assert (id(parameter) in found) == name.startswith(("layer3.", "layer4.")), name
    assert found[id(network.layer3[0].conv1.weight)][0] == pytest.approx(0.02)


def test_positions_and_class_tokens_do_not_decay():
    network = build_backbone("timm:test_vit")
    found = settings_of(parameter_groups(network, nn.Identity(), Recipe("gender", "timm:test_vit", weight_decay=0.3)))
    without = {name for name, parameter in network.named_parameters() if found[id(parameter)][1] == 0}
    with_decay = {name for name, parameter in network.named_parameters() if found[id(parameter)][1] == 0.3}
    assert {
        "network.pos_embed",
        "network.cls_token",
        "network.norm.weight",
        "network.blocks.0.attn.qkv.bias",
    } <= without
    assert {"network.patch_embed.proj.weight", "network.blocks.0.attn.qkv.weight"} <= with_decay


def test_where_stages_are_alike_they_share_their_groups():
    groups = parameter_groups(build_backbone("resnet18"), nn.Linear(2, 2), Recipe("gender", "resnet18"))
    assert len(groups) == 4  # matrices and others, of the task and of the network
    assert all(isinstance(parameter, torch.nn.Parameter) for group in groups for parameter in group["params"])
