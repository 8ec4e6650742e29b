"""From a face and its landmarks to the crop that an embedding network was trained on.

A crop is described by JSON values, the ``crop`` of an embedder's specification. Parts of a crop that lie outside the
image are black.

============== =================================================== =============================================
``kind``       settings                                            what it is
============== =================================================== =============================================
``dlib_chip``  ``size``, ``padding``                               dlib's aligned chip; landmarks dlib5 or dlib68
``similarity`` ``template`` (5 points), ``size_hw``                least-squares similarity to a template, landmarks
                                                                   arcface5 or dlib68
``box_margin`` ``size``, ``margin`` (pixels of the crop),          facenet-pytorch's crop: the box, unrotated, its
               optional ``resize``: ``"pillow"`` or ``"area"``     sides scaled apart
``box_square`` ``size``, ``margin`` (share of the longer side)     a square around the box
============== =================================================== =============================================

Every kind takes ``restore``, whether crops are made clearer, see :mod:`features.restore`; and ``jitter``, the number of
slightly moved copies of each crop, 0 for the crop itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import dlib
import numpy as np
from PIL import Image

from faceheads.images.pixels import check_rgb

from .face import Face
from .jitter import jitter_crops
from .landmarks import convert_landmarks, dlib_rectangle
from .opencv import import_cv2
from .restore import restored


class AlignmentError(ValueError):
    """One face that cannot be aligned, because of its own landmarks; no mistake in the settings."""


def crop_faces(image: np.ndarray, faces: Sequence[Face], crop: Mapping) -> np.ndarray:
    """The crops of faces in one image.

    Parameters
    ----------
    image : ndarray of shape (height, width, 3), uint8, RGB
    faces : sequence of Face
        With the landmarks that the kind of crop needs.
    crop : mapping
        ``kind``, its settings and optionally ``restore`` and ``jitter``; see the table above.

    Returns
    -------
    ndarray of shape (n_faces, crop_height, crop_width, 3), uint8, RGB
        With ``jitter`` = k > 0: (n_faces * k, …), the k copies of a face next to each other.

    Raises
    ------
    ValueError
        If the kind or a setting is unknown, or a face has landmarks of another scheme.
    AlignmentError
        If the landmarks of a face coincide or are not finite.
    """
    check_rgb(image)
    settings = dict(crop)
    is_restored = settings.pop("restore", False)
    make, size_hw, n_jitters = _parse_crop(settings)
    image = np.ascontiguousarray(image)
    crops = np.empty((len(faces), *size_hw, 3), np.uint8)
    for i, face in enumerate(faces):
        crop_rgb = make(image, face)
        crops[i] = restored(crop_rgb) if is_restored else crop_rgb
    return jitter_crops(crops, n_jitters) if n_jitters else crops


def _parse_crop(crop: Mapping) -> tuple[Callable[[np.ndarray, Face], np.ndarray], tuple[int, int], int]:
    """The function that makes one crop, the crop's size and the number of jittered copies."""
    settings = dict(crop)
    kind, n_jitters = settings.pop("kind", None), settings.pop("jitter", 0)
    if kind not in _KINDS:
        raise ValueError(f"the crop's kind must be one of {sorted(_KINDS)}; got {kind!r}.")
    if n_jitters < 0:
        raise ValueError(f"jitter must be 0 or more; got {n_jitters}.")
    function, required, optional = _KINDS[kind]
    if not required <= set(settings) <= required | optional:
        raise ValueError(
            f"a crop of kind {kind!r} must have the settings {sorted(required)} (and may have {sorted(optional)}); "
            f"got {sorted(settings)}."
        )
    size_hw = settings.get("size_hw", (settings.get("size"),) * 2)
    if len(size_hw) != 2 or not all(isinstance(n, int) and 1 <= n <= 4096 for n in size_hw):
        raise ValueError(f"the size of a crop must be whole numbers from 1 to 4096; got {size_hw!r}.")
    return partial(function, **settings), tuple(size_hw), n_jitters


def dlib_chip(image: np.ndarray, face: Face, size: int, padding: float) -> np.ndarray:
    """dlib's own chip, turned upright by 5 or 68 of its landmarks; shape (size, size, 3)."""
    if face.landmark_scheme not in ("dlib5", "dlib68"):
        raise ValueError(f"a dlib chip needs landmarks of scheme 'dlib5' or 'dlib68'; got {face.landmark_scheme!r}.")
    if not np.ptp(face.landmarks_xy, axis=0).max() > 0:
        raise AlignmentError("the landmarks coincide or are not finite")
    points = [dlib.point(int(x), int(y)) for x, y in np.rint(face.landmarks_xy)]
    return dlib.get_face_chip(image, dlib.full_object_detection(dlib_rectangle(face.box_xyxy), points), size, padding)


def similarity_crop(image: np.ndarray, face: Face, template: Sequence, size_hw: Sequence[int]) -> np.ndarray:
    """The image warped so that the five landmarks come closest to a template; bilinear, shape (*size_hw, 3).

    As the networks that use such templates were trained: one bilinear sample a pixel, however large the face is.
    """
    points = convert_landmarks(face.landmarks_xy, face.landmark_scheme, "arcface5")
    matrix = similarity_transform(points, np.asarray(template, np.float64))
    cv2 = import_cv2()
    height, width = size_hw
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def similarity_transform(source_xy: np.ndarray, target_xy: np.ndarray) -> np.ndarray:
    """The rotation, scale and shift that brings points closest to others in the least-squares sense.

    Never a reflection: where mirroring would fit better, the best rotation without it is returned, so that a
    face is never shown mirrored.

    Parameters
    ----------
    source_xy, target_xy : ndarray of shape (n_points, 2)

    Returns
    -------
    ndarray of shape (2, 3), float64
        ``target ≈ matrix[:, :2] @ source + matrix[:, 2]``.

    Raises
    ------
    AlignmentError
        If all source points coincide or a coordinate is not finite.
    ValueError
        If the arrays are not of equal shape (n_points, 2).

    References
    ----------
    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991,
    equations 40 to 43.
    """
    source, target = np.asarray(source_xy, np.float64), np.asarray(target_xy, np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2:
        raise ValueError(f"points must be two arrays of shape (n_points, 2); got {source.shape} and {target.shape}.")
    centred = source - source.mean(axis=0)
    variance = (centred**2).sum() / len(source)
    if not np.isfinite(variance) or variance == 0:
        raise AlignmentError("the landmarks coincide or are not finite")
    covariance = (target - target.mean(axis=0)).T @ centred / len(source)
    u, singular_values, vt = np.linalg.svd(covariance)
    signs = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    linear = (singular_values @ signs / variance) * (u * signs) @ vt
    return np.column_stack([linear, target.mean(axis=0) - linear @ source.mean(axis=0)])


def box_margin_crop(image: np.ndarray, face: Face, size: int, margin: float, resize: str = "pillow") -> np.ndarray:
    """facenet-pytorch's crop of a box, shape (size, size, 3).

    The box grows by ``margin`` pixels of the finished crop, is cut to whole pixels inside the image and scaled to a
    square, height and width apart. ``resize`` is what that package does with a Pillow image (``"pillow"``: bilinear,
    averaging when it shrinks) or with an array (``"area"``: OpenCV's INTER_AREA).

    References
    ----------
    facenet-pytorch 2.5.3, ``extract_face``.
    """
    if not 0 <= margin < size or resize not in ("pillow", "area"):
        raise ValueError(
            f"margin must be at least 0 and less than the size, resize 'pillow' or 'area'; got {margin} and "
            f"{resize!r}."
        )
    x0, y0, x1, y1 = _grown_box(face.box_xyxy, image.shape[:2], size, margin)
    if x1 <= x0 or y1 <= y0:
        return np.zeros((size, size, 3), np.uint8)
    part = image[y0:y1, x0:x1]
    if resize == "area":
        cv2 = import_cv2()
        return cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(Image.fromarray(part).resize((size, size), Image.Resampling.BILINEAR))


def _grown_box(box_xyxy: np.ndarray, image_hw: Sequence[int], size: int, margin: float) -> tuple[int, ...]:
    """The box with its margin, inside the image; in double precision, and cut to integers rather than rounded."""
    x0, y0, x1, y1 = (float(v) for v in box_xyxy)
    half_x, half_y = (margin * side / (size - margin) / 2 for side in (x1 - x0, y1 - y0))
    height, width = image_hw
    return (
        int(max(x0 - half_x, 0)),
        int(max(y0 - half_y, 0)),
        int(min(x1 + half_x, width)),
        int(min(y1 + half_y, height)),
    )


def box_square_crop(image: np.ndarray, face: Face, size: int, margin: float) -> np.ndarray:
    """A square around the box, shape (size, size, 3): its longer side, and ``margin`` of that beyond each end."""
    if margin < 0:
        raise ValueError(f"margin must be 0 or more; got {margin}.")
    x0, y0, x1, y1 = face.box_xyxy.astype(np.float64)
    half = max(x1 - x0, y1 - y0) * (0.5 + margin)
    centre_x, centre_y = (x0 + x1) / 2, (y0 + y1) / 2
    box = [round(v) for v in (centre_x - half, centre_y - half, centre_x + half, centre_y + half)]
    part = Image.fromarray(image).crop(box)  # black where the box leaves the image
    return np.asarray(part.resize((size, size), Image.Resampling.BILINEAR))


#: Kind of crop → function, settings that it needs, settings that it may have.
_KINDS = {
    "dlib_chip": (dlib_chip, {"size", "padding"}, set()),
    "similarity": (similarity_crop, {"template", "size_hw"}, set()),
    "box_margin": (box_margin_crop, {"size", "margin"}, {"resize"}),
    "box_square": (box_square_crop, {"size", "margin"}, set()),
}
