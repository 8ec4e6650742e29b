"""The stand-in for torchvision's compiled operator, and that it is put in place where it is missing only."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from faceheads.networks.torchvision_guard import ensure_torchvision, nms

needs_torchvision = pytest.mark.skipif(
    importlib.util.find_spec("torchvision") is None,
    reason="needs what it mends: pip install --no-deps torchvision==0.28.0",
)


@needs_torchvision
def test_torchvision_can_be_imported_afterwards():
    is_mended = ensure_torchvision()
    from torchvision.ops import boxes

    assert ensure_torchvision() == is_mended
    assert (boxes.nms is nms) == is_mended


@needs_torchvision
def test_torchvisions_batched_suppression_works():
    ensure_torchvision()
    from torchvision.ops import batched_nms

    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 10, 10], [1, 0, 10, 10], [50, 50, 60, 60]])
    kept = batched_nms(boxes, torch.tensor([0.9, 0.8, 0.7, 0.95]), torch.tensor([0, 0, 1, 0]), 0.5)
    assert kept.tolist() == [3, 0, 2]


def test_of_overlapping_boxes_the_surest_stays():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [0, 5, 10, 10]])
    scores = torch.tensor([0.8, 0.9, 0.1, 0.7])
    # overlaps with the second box: 0.9 of the first, 4/10 of the fourth
    assert nms(boxes, scores, 0.5).tolist() == [1, 3, 2]
    assert nms(boxes, scores, 0.45).tolist() == [1, 3, 2]
    assert nms(boxes, scores, 0.3).tolist() == [1, 2]


def test_no_boxes_give_no_indices():
    assert nms(torch.empty(0, 4), torch.empty(0), 0.5).tolist() == []
