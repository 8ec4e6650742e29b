"""Makes ``import torchvision`` work where its compiled operators do not fit the installed torch.

The wheels of torchvision on PyPI are compiled for the CUDA builds of torch; beside a CPU-only torch they fail on import
with "operator torchvision::nms does not exist". What this project compares itself with (facenet-pytorch) and what it
trains on (timm's backbones) need torchvision's Python code only, and one operator: non-maximum suppression. Parity
tests, benchmarks and ``finetune`` call :func:`ensure_torchvision`; the product itself never imports torchvision.
"""

from __future__ import annotations

import functools
import importlib
import sys

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@functools.cache
def ensure_torchvision() -> bool:
    """Whether torchvision had to be mended; afterwards it can be imported. Does nothing where it works by itself.

    Raises
    ------
    ImportError
        If torchvision is not installed.
    RuntimeError
        If it fails for another reason than the missing operator.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    else:
        return False
    _forget_the_failed_import()
    _define_the_missing_operators()
    boxes = importlib.import_module("torchvision.ops.boxes")
    boxes.nms = nms
    importlib.import_module("torchvision.ops").nms = nms
    return True


def nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Indices of the boxes that no higher-scored kept box overlaps by more than the threshold, highest score first.

    Parameters
    ----------
    boxes : Tensor of shape (n, 4)
        ``x0, y0, x1, y1``.
    scores : Tensor of shape (n,)
    iou_threshold : float
        Largest intersection over union that is left standing.
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    remaining = scores.argsort(descending=True, stable=True)
    kept = []
    while len(remaining):
        best, remaining = remaining[0], remaining[1:]
        kept.append(best)
        low = torch.maximum(boxes[best, :2], boxes[remaining, :2])
        high = torch.minimum(boxes[best, 2:], boxes[remaining, 2:])
        intersection = (high - low).clamp(min=0).prod(1)
        overlap = intersection / (areas[best] + areas[remaining] - intersection)
        remaining = remaining[~(overlap.double() > iou_threshold)]
    return torch.stack(kept) if kept else remaining


def _forget_the_failed_import() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]


@functools.cache
def _define_the_missing_operators() -> torch.library.Library:
    """Declarations without implementation, so that torchvision can attach shape functions to them; kept alive here."""
    library = torch.library.Library("torchvision", "DEF")
    for schema in _SCHEMAS:
        library.define(schema)
    return library
