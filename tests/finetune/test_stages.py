"""Every network falls into stages, from the input to the embedding."""

import itertools

import pytest
import torch
from torch import nn

from faceheads.networks.dlib_resnet import DlibResNet
from faceheads.networks.dlib_resnet_layers import STAGES
from faceheads.networks.dlib_traces import DlibTraces
from faceheads.networks.exported import build_network
from finetune.backbones import backbone_of
from finetune.stages import stages_by_names


def outline(name):
    with torch.device("meta"):
        unfolded = {"dlib": DlibResNet, "dlib_traces": DlibTraces}
        return unfolded[name](is_folded=False) if name in unfolded else build_network(name)


# He 2016, table 1: a stem and four stages; five of dlib's and the stem, and traces beside
# them; FaceNet's three kinds of blocks, stem and end.
@pytest.mark.parametrize(
    ("name", "n_stages"), [("resnet18", 5), ("dlib", 6), ("dlib_traces", 7), ("facenet", 5), ("timm:test_resnet", 5)]
)
def test_every_parameter_belongs_to_one_stage_and_stages_are_in_the_order_of_computation(name, n_stages):
    network = outline(name)
    stages = backbone_of(name).stages(network)
    assert len(stages) == n_stages and all(stages)
    names = [parameter for parameter, _ in network.named_parameters()]
    assert [parameter for stage in stages for parameter in stage] == names


def test_dlibs_stages_end_where_its_plane_is_halved():
    stages = backbone_of("dlib").stages(outline("dlib"))
    blocks = [{int(name.split(".")[1]) for name in stage if name.startswith("blocks.")} for stage in stages[1:]]
    ends = [0, *itertools.accumulate(n_blocks for _, _, n_blocks in STAGES)]
    assert blocks == [set(range(start, end)) for start, end in itertools.pairwise(ends)]


def test_each_block_of_a_transformer_is_a_stage():
    stages = backbone_of("timm:test_vit").stages(outline("timm:test_vit"))
    n_blocks = 6
    assert len(stages) == 1 + n_blocks
    assert "network.pos_embed" in stages[0] and "network.norm.weight" in stages[-1]


def test_a_parameter_of_no_stage_is_an_error():
    with pytest.raises(ValueError, match="'bias' of Linear must belong to a stage"):
        stages_by_names(["weight"], nn.Linear(1, 1))
