"""Networks of timm as face embedders: the numbers that they give before their classes.

Crops of any size from 32 pixels a side enter as they are, RGB from 0 to 255: the normalisation is part of the network, and
its constants are stored with the weights. What lies between a network's pooled planes and its classes belongs to the
embedding where timm has it so (MobileNetV3), but VGG's fully connected layers do not: they are nine tenths of it, and fixed
to 224 pixels.

References
----------
R. Wightman, PyTorch image models, https://github.com/huggingface/pytorch-image-models
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from types import ModuleType

import torch
from torch import Tensor, nn

from ..extra import require_extra
from .asked import check_asked
from .torchvision_guard import ensure_torchvision

#: timm's name of each network that has a short one: the definition and, behind the point, the training of its official
#: weights, which decides the normalisation.
TIMM_NAMES = {
    "resnet50": "resnet50.tv_in1k",
    "resnet152": "resnet152.tv_in1k",
    "mobilenet_v2": "mobilenetv2_100.ra_in1k",
    "mobilenet_v3": "mobilenetv3_large_100.ra_in1k",
    "efficientnet_b0": "efficientnet_b0.ra_in1k",
    "efficientnet_b1": "efficientnet_b1.ft_in1k",
    "efficientnet_b2": "efficientnet_b2.ra_in1k",
    "efficientnet_b3": "efficientnet_b3.ra2_in1k",
    "efficientnet_b4": "efficientnet_b4.ra2_in1k",
    "efficientnetv2_s": "tf_efficientnetv2_s.in21k_ft_in1k",
    "vgg16": "vgg16.tv_in1k",
    "vit_small": "vit_small_patch16_224.dino",
}
#: Before a name of timm's own: any of its networks.
PREFIX = "timm:"
#: Smallest side of a crop on which the last stage has a pixel, in pixels.
MIN_SIZE_PX = 32
#: Numbers of the largest network that is built; those that have a short name have 58 million at most.
MAX_PARAMETERS = 400_000_000


def is_timm(name: str) -> bool:
    """Whether a network's name is one that timm defines."""
    return name in TIMM_NAMES or name.startswith(PREFIX)


def import_timm(user: str) -> ModuleType:
    """timm, also where torchvision, which it imports, does not fit torch.

    Raises
    ------
    MissingPackage
        If it is not installed; ``user`` is the beginning of that sentence.
    """
    if find_spec("torchvision") is not None:
        ensure_torchvision()
    [timm] = require_extra("finetune", user, "timm")
    return timm


class TimmNetwork(nn.Module):
    """A network of timm with random weights.

    Parameters
    ----------
    name : str
        A key of :data:`TIMM_NAMES`, or ``timm:`` and a name of timm's.

    Raises
    ------
    MissingPackage
        If timm is not installed.
    ValueError
        If timm has no such network, or one that is too large.
    """

    #: Every name that ``forward`` accepts.
    layer_names = ("final",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.network = _make(import_timm(f"The network {name!r}"), name)
        self.dimension = _dimension(self.network)
        config = self.network.pretrained_cfg
        self.fixed_hw = _fixed_size(self.network, config)
        self.register_buffer("mean_rgb", 255 * torch.tensor(config["mean"]))
        self.register_buffer("deviation_rgb", 255 * torch.tensor(config["std"]))

    def layer_dimension(self, name: str) -> int:
        """How many numbers a layer gives for each face.

        Raises
        ------
        ValueError
            If there is no such layer.
        """
        if name != "final":
            raise ValueError(f"The layer of {self.name} must be 'final'; got {name!r}.")
        return self.dimension

    def forward(self, crops: Tensor, layers: Sequence[str] = ("final",)) -> Tensor:
        """Embeddings.

        Parameters
        ----------
        crops : Tensor of shape (n_faces, 3, height, width), uint8 or float
            RGB in [0, 255].
        layers : sequence of str, default=("final",)

        Returns
        -------
        Tensor of shape (n_faces, sum of layer_dimension), in the precision of the weights

        Raises
        ------
        ValueError
            If the crops have another shape or a layer is unknown.
        """
        check_asked(crops, layers, self.layer_dimension, MIN_SIZE_PX)
        if self.fixed_hw is not None and crops.shape[2:] != self.fixed_hw:
            raise ValueError(
                f"{self.name} takes crops of {self.fixed_hw[0]} × {self.fixed_hw[1]} pixels only; got {tuple(crops.shape)}."
            )
        x = crops.to(dtype=self.mean_rgb.dtype, memory_format=torch.channels_last)
        x = self.network((x - self.mean_rgb[:, None, None]) / self.deviation_rgb[:, None, None])
        return torch.cat([x] * len(layers), 1)

    def stages(self) -> list[list[str]]:
        """Names of the parameters of each stage, from the input to the embedding, as timm groups them."""
        from timm.models import group_parameters

        groups = group_parameters(self.network, self.network.group_matcher(coarse=True))
        return [[f"network.{name}" for name in groups[number]] for number in sorted(groups)]

    def undecayed(self) -> frozenset[str]:
        """Names of parameters that are no matrices in spite of their shape: positions and class tokens."""
        names = getattr(self.network, "no_weight_decay", frozenset)()
        return frozenset(f"network.{name}" for name in names)

    def fixed_to(self, size_hw: tuple[int, int]) -> TimmNetwork:
        """A copy for crops of one size only, which does not interpolate positions again for every batch."""
        twin = copy.deepcopy(self)
        if _is_transformer(twin.network):
            rows, columns = twin.network.patch_embed.patch_size
            twin.network.set_input_size((-(-size_hw[0] // rows) * rows, -(-size_hw[1] // columns) * columns))
        return twin


def _make(timm: ModuleType, name: str) -> nn.Module:
    """The network of a name, without its classes."""
    architecture = TIMM_NAMES.get(name, name.removeprefix(PREFIX))
    if not _is_known(timm, architecture):
        raise ValueError(f"timm {timm.__version__} has no network {architecture!r}. timm.list_models() lists them.")
    with torch.device("meta"):
        outline = timm.create_model(architecture, num_classes=0)
    n_parameters = sum(parameter.numel() for parameter in outline.parameters())
    if n_parameters > MAX_PARAMETERS:
        raise ValueError(f"{name!r} must have at most {MAX_PARAMETERS} parameters; it has {n_parameters}.")
    any_size = {"dynamic_img_size": True, "dynamic_img_pad": True} if _is_transformer(outline) else {}
    network = timm.create_model(architecture, num_classes=0, **any_size)
    if _is_vgg(network):
        network.pre_logits = nn.Identity()
    return network


def _is_known(timm: ModuleType, architecture: str) -> bool:
    """Whether a name is in timm's own lists: what it understands beyond, ``hf-hub:…`` and paths, is fetched from elsewhere."""
    is_tagged = "." in architecture
    return timm.is_model(architecture) and (not is_tagged or timm.models.is_model_pretrained(architecture))


def _fixed_size(network: nn.Module, config: Mapping) -> tuple[int, int] | None:
    """Rows and columns of the only crops that a network takes; None where it takes any."""
    if not config.get("fixed_input_size") or _is_transformer(network):
        return None
    return tuple(config["input_size"][1:])


def _dimension(network: nn.Module) -> int:
    return network.num_features if _is_vgg(network) else network.head_hidden_size


def _is_transformer(network: nn.Module) -> bool:
    """Whether a network takes other sizes than its own only when it is told to."""
    from timm.models import VisionTransformer

    return isinstance(network, VisionTransformer)


def _is_vgg(network: nn.Module) -> bool:
    from timm.models import VGG

    return isinstance(network, VGG)
