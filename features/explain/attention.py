"""Where a vision transformer looks: the attention of each head of its last block, and its rollout through all blocks.

Attention belongs to the network, not to a decision: it says from which parts of a crop the embedding was put together, and is
the same whatever a head is asked about the face. Rollout follows it through the blocks down to the patches of the crop: with
the mean over the heads W of a block, and the shortcut past it, Ã = (W + 1) / 2, and what the embedding has of each patch is the
product of all Ã.

References
----------
S. Abnar, W. Zuidema, Quantifying attention flow in transformers, ACL 2020, section 3 (rollout).
S. Jain, B. C. Wallace, Attention is not explanation, NAACL 2019 (why not to believe attention alone).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..embedders import Embedder, TorchEmbedder
from ..opencv import import_cv2

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, eq=False)
class Attention:
    """What the tokens of a crop attend to.

    Attributes
    ----------
    weights : ndarray of shape (n_blocks, n_heads, n_tokens, n_tokens), float32
        Each row sums to 1. The first tokens are no patches, then come those of the crop row by row.
    grid_hw : tuple of int
        Rows and columns of patches.
    patch_hw : tuple of int
        Pixels of a patch.
    crop_hw : tuple of int
        Of the crop, which may end inside the last patches.
    has_class_token : bool
        Whether the embedding is that of the first token rather than the mean over the patches.
    """

    weights: np.ndarray
    grid_hw: tuple[int, int]
    patch_hw: tuple[int, int]
    crop_hw: tuple[int, int]
    has_class_token: bool

    def of_heads(self) -> np.ndarray:
        """What each head of the last block attends to, float32 of shape (n_heads, height, width): a share for each patch."""
        return np.stack([self._map(self._read_out(head)) for head in self.weights[-1]])

    def rollout(self) -> np.ndarray:
        """What the embedding has of each patch, float32 of shape (height, width): shares that add up to 1 over patches and other tokens."""
        flow = np.eye(self.weights.shape[-1])
        for block in self.weights.astype(np.float64):
            flow = (block.mean(axis=0) + np.eye(len(flow))) / 2 @ flow
        return self._map(self._read_out(flow))

    def _read_out(self, weights: np.ndarray) -> np.ndarray:
        """What the embedding has of each token, of weights (n_tokens, n_tokens)."""
        return weights[0] if self.has_class_token else weights[-self._n_patches :].mean(axis=0)

    @property
    def _n_patches(self) -> int:
        return self.grid_hw[0] * self.grid_hw[1]

    def _map(self, of_tokens: np.ndarray) -> np.ndarray:
        """Shares of patches, at the pixels of the crop, smooth between the middles of the patches."""
        shares = of_tokens[-self._n_patches :].reshape(self.grid_hw).astype(np.float32)
        height, width = (n * side for n, side in zip(self.grid_hw, self.patch_hw, strict=True))
        cv2 = import_cv2()
        return cv2.resize(shares, (width, height), interpolation=cv2.INTER_LINEAR)[
            : self.crop_hw[0], : self.crop_hw[1]
        ]


def attention_of(embedder: Embedder, crop: np.ndarray) -> Attention:
    """The attention that a network pays to one crop; its mirror image has no part in it, also where the embedder takes both.

    Parameters
    ----------
    embedder : Embedder
    crop : array of shape (height, width, 3), uint8, RGB

    Raises
    ------
    ValueError
        If its network is no vision transformer of timm, or not one that runs in torch.
    """
    import torch

    transformer = transformer_of(embedder)
    device = next(embedder.module.parameters()).device
    batch = torch.from_numpy(np.ascontiguousarray(crop[None])).to(device).permute(0, 3, 1, 2)
    with torch.inference_mode(), _recorded(transformer) as weights:
        embedder.module(batch, embedder.spec.layers)
    rows, columns = transformer.patch_embed.patch_size
    return Attention(
        np.concatenate([one.float().cpu().numpy() for one in weights]),
        (-(-crop.shape[0] // rows), -(-crop.shape[1] // columns)),
        (rows, columns),
        crop.shape[:2],
        transformer.global_pool == "token",
    )


def transformer_of(embedder: Embedder) -> nn.Module:
    """The vision transformer of timm inside an embedder, whose blocks all have attention that can be read.

    Raises
    ------
    ValueError
        If there is none.
    """
    modules = list(embedder.module.modules()) if isinstance(embedder, TorchEmbedder) else []
    if any(type(module).__module__.startswith("timm.") for module in modules):
        from timm.models import VisionTransformer

        for module in modules:
            if isinstance(module, VisionTransformer) and all(_is_readable(block) for block in module.blocks):
                return module
    raise ValueError(
        f"Attention maps need a vision transformer, such as python -m finetune --backbone vit_small trains; "
        f"{embedder.spec.network!r} has no attention that can be read. Explain by gradients (--explain_by gradients)."
    )


def _is_readable(block: nn.Module) -> bool:
    return all(hasattr(getattr(block, "attn", None), name) for name in ("fused_attn", "attn_drop"))


@contextmanager
def _recorded(transformer: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Record the attention of each block, tensors of shape (n_crops, n_heads, n_tokens, n_tokens), while crops go through.

    timm's fused attention never has the weights in one piece; it is switched off meanwhile. The dropout behind the softmax,
    which does nothing in evaluation, is where they are seen.
    """
    weights: list[torch.Tensor] = []
    layers = [block.attn for block in transformer.blocks]
    was_fused = [layer.fused_attn for layer in layers]
    with ExitStack() as stack:
        for layer in layers:
            stack.enter_context(layer.attn_drop.register_forward_hook(lambda module, given, out: weights.append(out)))
            layer.fused_attn = False
        try:
            yield weights
        finally:
            for layer, fused in zip(layers, was_fused, strict=True):
                layer.fused_attn = fused
