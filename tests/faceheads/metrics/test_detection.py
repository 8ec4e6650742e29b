"""Boxes are matched as Pascal VOC does."""

import numpy as np
import pytest

from faceheads.metrics.detection import NO_FACE, box_ious, match_detections

FACE = [10, 10, 30, 30]


def test_overlap_is_that_of_pixels_counted_one_by_one():
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 12, (20, 2, 2))
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1) + 1], axis=1)
    masks = np.zeros((20, 13, 13), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = True
    counted = [[(a & b).sum() / (a | b).sum() for b in masks] for a in masks]
    assert np.allclose(box_ious(boxes, boxes), counted)


def test_empty_boxes_overlap_with_nothing():
    assert box_ious([[5, 5, 5, 5]], [[5, 5, 5, 5], FACE]).tolist() == [[0, 0]]


def test_a_face_is_found_once_and_by_the_surest_detection():
    assert match_detections([[10, 10, 30, 28], FACE], [FACE]).tolist() == [0, NO_FACE]


def test_the_second_detection_takes_the_other_face_that_it_meets():
    annotated = [FACE, [14, 10, 34, 30]]
    found = [FACE, [11, 10, 31, 30]]
    assert match_detections(found, annotated).tolist() == [0, 1]


def test_half_overlap_counts_and_less_does_not():
    assert match_detections([[10, 10, 30, 20]], [FACE]).tolist() == [0]
    assert match_detections([[10, 10, 30, 19]], [FACE]).tolist() == [NO_FACE]


@pytest.mark.parametrize(("found", "annotated"), [([], [FACE]), ([FACE], []), ([], [])])
def test_images_without_detections_or_faces_match_nothing(found, annotated):
    assert match_detections(found, annotated).tolist() == [NO_FACE] * len(found)


@pytest.mark.parametrize("min_iou", [0, 1.5, float("nan")])
def test_an_impossible_overlap_is_refused(min_iou):
    with pytest.raises(ValueError, match="min_iou must be above 0 and at most 1"):
        match_detections([FACE], [FACE], min_iou)
