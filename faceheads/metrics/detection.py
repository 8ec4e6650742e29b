"""Which detections found which annotated faces.

References
----------
M. Everingham et al., The Pascal Visual Object Classes challenge, IJCV 2010, section 4.2 (surest first, each annotated
object once). S. Yang et al., WIDER FACE: a face detection benchmark, CVPR 2016 (faces that do not count).
"""

from __future__ import annotations

import numpy as np

#: Detection that found no annotated face.
NO_FACE = -1


def box_ious(first_xyxy: np.ndarray, second_xyxy: np.ndarray) -> np.ndarray:
    """Intersection over union of half-open boxes.

    Parameters
    ----------
    first_xyxy : array of shape (n, 4)
    second_xyxy : array of shape (m, 4)

    Returns
    -------
    float64 array of shape (n, m)
        0 where both boxes are empty.
    """
    first, second = np.asarray(first_xyxy, float).reshape(-1, 1, 4), np.asarray(second_xyxy, float).reshape(1, -1, 4)
    low, high = np.maximum(first[..., :2], second[..., :2]), np.minimum(first[..., 2:], second[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    union = _area(first) + _area(second) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _area(boxes_xyxy: np.ndarray) -> np.ndarray:
    return np.clip(boxes_xyxy[..., 2:] - boxes_xyxy[..., :2], 0, None).prod(axis=-1)


def match_detections(found_xyxy: np.ndarray, annotated_xyxy: np.ndarray, min_iou: float = 0.5) -> np.ndarray:
    """The annotated face that each detection found; each face is found once, by the surest detection that meets it.

    Parameters
    ----------
    found_xyxy : array of shape (n_found, 4)
        Detections of one image, surest first, half-open boxes in pixels.
    annotated_xyxy : array of shape (n_annotated, 4)
    min_iou : float, default=0.5
        Smallest intersection over union, in (0, 1].

    Returns
    -------
    int64 array of shape (n_found,)
        Positions among the annotated faces; :data:`NO_FACE` where a detection found none.

    Raises
    ------
    ValueError
        If ``min_iou`` is not in (0, 1].
    """
    if not 0 < min_iou <= 1:
        raise ValueError(f"min_iou must be above 0 and at most 1; got {min_iou!r}.")
    ious = box_ious(found_xyxy, annotated_xyxy)
    matches = np.full(len(ious), NO_FACE, np.int64)
    for i in range(len(ious) if ious.size else 0):
        best = int(ious[i].argmax())
        if ious[i, best] >= min_iou:
            matches[i] = best
            ious[:, best] = 0
    return matches
