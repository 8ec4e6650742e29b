"""A training set in which every photo is there once more, blended with itself, as a fake of the same person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from faceheads.labels import LabelError

from .blended_pixels import BlendedPixels
from .crop_face import face_in_crop
from .mean_face import mean_face_points
from .training_set import TrainingSet

FAKE = "fake"
#: Ends the key of a photo that was blended with itself.
SUFFIX = "~self_blend"


def with_blended(training: TrainingSet, seed: int) -> TrainingSet:
    """The training set and, after its rows, every photo of it blended with itself, with the label ``fake`` 1.

    Photos are the rows whose label ``fake`` is 0, all where there is no such label. Fakes of validation photos are in the
    validation part.

    Raises
    ------
    LabelError
        If the label ``fake`` is missing for some rows only.
    ValueError
        If crops are not aligned, or the training set has a teacher, which knows of no blended photos.
    """
    if training.teacher is not None:
        raise ValueError("--self_blend makes faces that --teacher has no embeddings of. Leave one of them out.")
    photos = np.flatnonzero(_is_fake(training.labels) == 0)
    crops, n_crops = training.crops, len(training.crops)
    points = mean_face_points(face_in_crop(crops.crop, crops.pixels.shape[1]))
    doubled = replace(
        crops,
        keys=(*crops.keys, *(f"{key}{SUFFIX}" for key in crops.keys)),
        sha256=crops.sha256 * 2,
        pixels=BlendedPixels(crops.pixels, points, seed),
    )
    labels = training.labels.assign(**{FAKE: _is_fake(training.labels)})
    return replace(
        training,
        crops=doubled,
        crop_row=np.concatenate([training.crop_row, n_crops + training.crop_row[photos]]),
        labels=pd.concat([labels, labels.iloc[photos].assign(**{FAKE: 1})]),
        groups=np.concatenate([training.groups, training.groups[photos]]),
        is_validation=np.concatenate([training.is_validation, training.is_validation[photos]]),
    )


def _is_fake(labels: pd.DataFrame) -> np.ndarray:
    """0 or 1 for each row, int64."""
    if FAKE not in labels:
        return np.zeros(len(labels), np.int64)
    if labels[FAKE].isna().any():
        raise LabelError(f"{FAKE!r} must be 0 or 1 for every face or no column at all; it is missing for some.")
    return labels[FAKE].astype(np.int64).to_numpy()
