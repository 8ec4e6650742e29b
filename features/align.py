"""From a face in a photo to the crop that an embedding network was trained on.

Landmarks come from the detector or from dlib's shape predictors (:func:`find_landmarks`); a crop is described by JSON
values, the ``crop`` of an embedder's specification (:func:`crop_faces`). Parts of a crop that lie outside the image
are black.

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

Every kind takes ``jitter``, the number of slightly moved copies of each crop, 0 for the crop itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import dlib
import numpy as np
from PIL import Image

from faceheads.weights import find_weights

from .face import LANDMARK_SCHEMES, Face
from .opencv import import_cv2
from .pixels import check_rgb

#: Where ArcFace's training crops of 112 x 112 have the eye on the left, the eye on the right, the nose tip and the
#: mouth corners, (x, y) px. Deng et al., "ArcFace", CVPR 2019, reference alignment.
ARCFACE_TEMPLATE_112 = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)

#: Points of iBUG 300-W whose means are ArcFace's five.
_ARCFACE5_FROM_DLIB68 = (range(36, 42), range(42, 48), (30,), (48,), (54,))

#: How far below the centre of MTCNN's box dlib's HOG detector has its own, as a share of its side, which is the root
#: of MTCNN's area: medians over 197 photos of LFW's DevTrain people. With it the 5 points differ from those predicted
#: in HOG's box by 0.5 % of the distance between the eyes (median), without it by 2.2 %.
_MTCNN_TO_HOG_SHIFT = 0.05

#: Jitter, as dlib averages it: turned by up to 3 degrees, shifted by up to 2 %, zoomed to 97 to 100 % of the chip less
#: a border.
_JITTER_MAX_ROTATION_DEG = 3.0
_JITTER_MAX_SHIFT = 0.02
_JITTER_MIN_ZOOM = 0.97
_JITTER_BORDER_PX = 3

#: Every chip gets the same movements, in every process.
JITTER_SEED = 0

_predictors = threading.local()


class AlignmentError(ValueError):
    """One face that cannot be aligned, because of its own landmarks; no mistake in the settings."""


def find_landmarks(image: np.ndarray, faces: Sequence[Face], scheme: str) -> list[Face]:
    """The faces with landmarks of a scheme, in the same order.

    Landmarks that a face has already in that scheme are kept. Those of ``dlib5`` and ``dlib68`` are predicted inside
    the face's box by dlib's regression trees (Kazemi & Sullivan 2014). They were trained on boxes of its HOG detector,
    so MTCNN's narrow boxes are made square first. Those of ``arcface5`` are computed from ``dlib68``, which is
    predicted first where a face has no landmarks.

    Parameters
    ----------
    image : ndarray of shape (height, width, 3), uint8, RGB
    faces : sequence of Face
    scheme : {"none", "dlib5", "dlib68", "arcface5"}

    Raises
    ------
    ValueError
        If the scheme is unknown or a face's own landmarks cannot be converted to it.
    """
    check_rgb(image)
    if scheme not in LANDMARK_SCHEMES:
        raise ValueError(f"scheme must be one of {sorted(LANDMARK_SCHEMES)}; got {scheme!r}.")
    image = np.ascontiguousarray(image)
    return [_with_scheme(image, face, scheme) for face in faces]


def _with_scheme(image: np.ndarray, face: Face, scheme: str) -> Face:
    if face.landmark_scheme == scheme:
        return face
    if scheme == "none":
        return face.with_landmarks(np.empty((0, 2)), "none")
    if scheme == "arcface5":
        source = _with_scheme(image, face, "dlib68") if face.landmark_scheme == "none" else face
        return source.with_landmarks(convert_landmarks(source.landmarks_xy, source.landmark_scheme, scheme), scheme)
    return face.with_landmarks(_predict(image, face, scheme), scheme)


def convert_landmarks(landmarks_xy: np.ndarray, source: str, target: str) -> np.ndarray:
    """Landmarks of one scheme from those of another, shape (n_landmarks, 2), float32.

    Only ``dlib68`` to ``arcface5`` exists: eye centres are the means of the six points of each eye.

    Raises
    ------
    ValueError
        For any other pair of schemes: their points are not determined by each other.
    """
    if source == target:
        return np.array(landmarks_xy, np.float32)
    if (source, target) != ("dlib68", "arcface5"):
        raise ValueError(
            f"landmarks of scheme {target!r} cannot be computed from {source!r}; the only conversion is 'dlib68' to "
            "'arcface5'. Choose a detector or a landmark predictor that gives them."
        )
    points = np.asarray(landmarks_xy, np.float32)
    return np.array([points[list(group)].mean(axis=0) for group in _ARCFACE5_FROM_DLIB68], np.float32)


def _predict(image: np.ndarray, face: Face, scheme: str) -> np.ndarray:
    """dlib's landmarks inside the face's box, shape (n_landmarks, 2), float32."""
    box_xyxy = _hog_like_box(face.box_xyxy) if face.detector == "mtcnn" else face.box_xyxy
    parts = _predictor(scheme)(image, _dlib_rectangle(box_xyxy)).parts()
    return np.array([(point.x, point.y) for point in parts], np.float32)


def _hog_like_box(box_xyxy: np.ndarray) -> np.ndarray:
    """The square that dlib's HOG detector would have given for a box of MTCNN, shape (4,)."""
    x0, y0, x1, y1 = box_xyxy.astype(np.float64)
    side = np.sqrt((x1 - x0) * (y1 - y0))
    centre_x, centre_y = (x0 + x1) / 2, (y0 + y1) / 2 + _MTCNN_TO_HOG_SHIFT * side
    return np.array([centre_x - side / 2, centre_y - side / 2, centre_x + side / 2, centre_y + side / 2])


def _dlib_rectangle(box_xyxy: np.ndarray) -> dlib.rectangle:
    """The whole, untrimmed box as dlib counts: integers, the last pixel included."""
    x0, y0, x1, y1 = (int(v) for v in np.rint(box_xyxy))
    return dlib.rectangle(x0, y0, x1 - 1, y1 - 1)


def _predictor(scheme: str) -> dlib.shape_predictor:
    """This thread's predictor of a scheme, read from disk when it is first needed."""
    if not hasattr(_predictors, scheme):
        path = find_weights({"dlib5": "dlib_landmarks5", "dlib68": "dlib_landmarks68"}[scheme])
        setattr(_predictors, scheme, dlib.shape_predictor(str(path)))
    return getattr(_predictors, scheme)


def crop_faces(image: np.ndarray, faces: Sequence[Face], crop: Mapping) -> np.ndarray:
    """The crops of faces in one image.

    Parameters
    ----------
    image : ndarray of shape (height, width, 3), uint8, RGB
    faces : sequence of Face
        With the landmarks that the kind of crop needs.
    crop : mapping
        ``kind``, its settings and optionally ``jitter``; see the table above.

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
    make, size_hw, n_jitters = _parse_crop(crop)
    image = np.ascontiguousarray(image)
    crops = np.empty((len(faces), *size_hw, 3), np.uint8)
    for i, face in enumerate(faces):
        crops[i] = make(image, face)
    return jitter_crops(crops, n_jitters) if n_jitters else crops


def crop_size_hw(crop: Mapping) -> tuple[int, int]:
    """Height and width of the crops that :func:`crop_faces` makes.

    Raises
    ------
    ValueError
        If the kind or a setting is unknown.
    """
    return _parse_crop(crop)[1]


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
    return dlib.get_face_chip(image, dlib.full_object_detection(_dlib_rectangle(face.box_xyxy), points), size, padding)


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


def jitter_crops(crops: np.ndarray, n_jitters: int, seed: int = JITTER_SEED) -> np.ndarray:
    """Copies of crops, each a little turned, moved and zoomed, half of them mirrored.

    The ranges are those of dlib's ``jitter_image``, whose own random numbers cannot be seeded; here crop i gets the
    same movements whatever the others are, so that a face has the same vector in every run.

    Parameters
    ----------
    crops : ndarray of shape (n_crops, height, width, 3), uint8
    n_jitters : int
        Copies of each crop.
    seed : int

    Returns
    -------
    ndarray of shape (n_crops * n_jitters, height, width, 3), uint8
        The copies of one crop next to each other.
    """
    rng = np.random.default_rng(seed)
    moves = [_random_move(rng, crops.shape[1:3]) for _ in range(n_jitters)]
    copies = [_moved(np.ascontiguousarray(crop), *move) for crop in crops for move in moves]
    return np.array(copies, np.uint8).reshape(-1, *crops.shape[1:])


def _random_move(rng: np.random.Generator, size_hw: Sequence[int]) -> tuple[dlib.chip_details, bool]:
    """Where a jittered copy is taken from, in whole pixels as in dlib, and whether it is mirrored."""
    height, width = size_hw
    inner = dlib.shrink_rect(dlib.rectangle(0, 0, width - 1, height - 1), _JITTER_BORDER_PX)
    shift = rng.uniform(-_JITTER_MAX_SHIFT, _JITTER_MAX_SHIFT, 2) * (inner.width(), inner.height())
    zoom = rng.uniform(_JITTER_MIN_ZOOM, 1.0)
    centre = dlib.center(inner) + dlib.point(*(int(v) for v in np.rint(shift)))
    place = dlib.centered_rect(centre, int(inner.width() / zoom), int(inner.height() / zoom))
    angle = np.radians(rng.uniform(-_JITTER_MAX_ROTATION_DEG, _JITTER_MAX_ROTATION_DEG))
    return dlib.chip_details(place, dlib.chip_dims(height, width), angle), bool(rng.random() < 0.5)


def _moved(crop: np.ndarray, place: dlib.chip_details, is_mirrored: bool) -> np.ndarray:
    moved = dlib.extract_image_chip(crop, place)
    return moved[:, ::-1] if is_mirrored else moved
