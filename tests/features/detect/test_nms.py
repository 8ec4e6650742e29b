"""Non-maximum suppression against the definition, box by box in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.detect.nms import CHUNK, kept_by_smaller, kept_by_union


def overlap(first, second, border, smaller):
    sides = [min(first[i + 2], second[i + 2]) - max(first[i], second[i]) + border for i in (0, 1)]
    intersection = max(sides[0], 0) * max(sides[1], 0)
    areas = [(box[2] - box[0] + border) * (box[3] - box[1] + border) for box in (first, second)]
    quotient = intersection / (min(areas) if smaller else sum(areas) - intersection)
    return float(np.float32(quotient))  # facenet-pytorch and torchvision divide in float32


def suppressed_slowly(boxes, order, threshold, border, smaller):
    boxes, kept = boxes.tolist(), []
    for i in order:
        if all(overlap(boxes[k], boxes[i], border, smaller) <= threshold for k in kept):
            kept.append(i)
    return kept


def some_boxes(n_boxes, seed):
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 60, (n_boxes, 2))
    boxes = np.hstack([corners, corners + rng.integers(1, 30, (n_boxes, 2))]).astype(np.float32)
    return boxes, rng.integers(0, 50, n_boxes).astype(np.float32) / 50  # with ties


@settings(max_examples=30)
@given(st.integers(0, 2 * CHUNK), st.integers(0, 2**32 - 1), st.sampled_from([0.3, 0.5, 0.7]))
def test_what_stays_is_what_the_definition_leaves(n_boxes, seed, threshold):
    boxes, scores = some_boxes(n_boxes, seed)
    order = sorted(range(n_boxes), key=lambda i: (-scores[i], i))
    assert kept_by_union(boxes, scores, threshold).tolist() == suppressed_slowly(boxes, order, threshold, 0, False)
    order = sorted(range(n_boxes), key=lambda i: (-scores[i], -i))
    assert kept_by_smaller(boxes, scores, threshold).tolist() == suppressed_slowly(boxes, order, threshold, 1, True)


def test_a_small_box_inside_a_large_one_goes_only_relative_to_the_smaller():
    boxes = np.array([[0, 0, 100, 100], [10, 10, 20, 20]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    assert kept_by_union(boxes, scores, 0.5).tolist() == [0, 1]
    assert kept_by_smaller(boxes, scores, 0.5).tolist() == [0]


def test_a_box_that_overlaps_exactly_by_the_threshold_stays():
    boxes = np.array([[0, 0, 10, 10], [0, 5, 10, 10]], np.float32)  # the second is half of the first
    assert kept_by_union(boxes, np.array([0.9, 0.8], np.float32), 0.5).tolist() == [0, 1]


@pytest.mark.parametrize("suppress", [kept_by_union, kept_by_smaller])
def test_nothing_gives_nothing(suppress):
    assert suppress(np.empty((0, 4), np.float32), np.empty(0, np.float32), 0.5).shape == (0,)
