"""Where the hair is.

A pixel of the upright view is skin, hair or background. How likely each is depends on where the pixel lies, from the face's
outline, and on its colour: that of skin is learned from the middle of the face, that of the background from beyond the
head, and that of hair from what lies above the forehead and is neither (expectation and maximisation, some rounds). A cut
along the edges of the photo (GrabCut) and a filter that follows them give the outline.

A hat is found as hair: it is what covers the head.

References
----------
C. Rother, V. Kolmogorov, A. Blake, GrabCut: interactive foreground extraction using iterated graph cuts, SIGGRAPH 2004.
K. He, J. Sun, X. Tang, Guided image filtering, ECCV 2010, equations 5, 6 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..opencv import import_cv2
from .colours import Normal, clustered, halved, lab_of, log_density
from .frame import BROWS, CHIN, NOSE_BASE, OUTLINE, FaceFrame, UprightView

#: Pixels of the view for one distance of the eyes.
_UNIT_PX = 32
#: Where the middle of the head is, below the eyes, and how far its top and bottom are from there, in eye distances; its half
#: width as a multiple of the outline's.
_MIDDLE, _TOP, _BOTTOM, _WIDTH = -0.15, 1.62, 2.0, 1.08
#: Radii (1 is the head's outline): the background is learned beyond, hair is looked for within.
_FAR, _NEAR = 1.4, 1.05
_N_ROUNDS = 6
#: Of the part of the head that hair covers at least this share must be in the photo, and hair be found on at least that.
_MIN_SEEN, _MIN_FOUND = 0.5, 0.12
#: A prior of hair from which on a pixel takes part in learning its colour.
_TELLING_PRIOR = 0.3
_SURE = 0.97
#: Density of hair of a colour that is not like that on the crown: lower than that of anything else.
_LOG_UNLIKE_HAIR = -18.0
#: Minus the logarithm of the density at which a colour that one of the other distributions explains well lies.
_TYPICAL = 9.0
#: Pixels of the view on the crown that a piece of hair must have.
_SMALLEST_PIECE = 15
#: Of the filter that follows edges: half width in eye distances, and the variance below which an edge is none.
_FILTER_RADIUS, _FILTER_VARIANCE = 0.12, 1e-3


@dataclass(frozen=True, eq=False)
class _Places:
    """What the outline of the face tells of each pixel of the view.

    ``radius`` is 1 on the outline of the head; ``priors`` of shape (3, height, width) are those of skin, hair, background.
    """

    radius: np.ndarray
    priors: np.ndarray
    is_inside: np.ndarray
    is_face: np.ndarray
    is_cheek: np.ndarray
    is_above_chin: np.ndarray

    @property
    def is_crown(self) -> np.ndarray:
        """Where most people have hair."""
        return (self.priors[1] > _TELLING_PRIOR) & (self.radius < _NEAR)

    @property
    def is_telling(self) -> np.ndarray:
        """Pixels that the colour of hair is learned from."""
        return self.is_inside & (self.priors[1] > _TELLING_PRIOR)


def find_hair(rgb: np.ndarray, frame: FaceFrame) -> np.ndarray | None:
    """How much of each pixel is hair.

    Parameters
    ----------
    rgb : ndarray of shape (height, width, 3), uint8
    frame : FaceFrame
        Of a face in it.

    Returns
    -------
    ndarray of shape (height, width), float32, 0 to 1, or None
        None where the photo does not show the top of the head, or no hair is found on it.
    """
    view = UprightView(frame, _UNIT_PX)
    places = _places(view, rgb.shape[:2])
    is_crown = places.is_crown
    if (is_crown & places.is_inside).sum() < _MIN_SEEN * is_crown.sum():
        return None
    picture = view.take(rgb)
    probability = _probability(lab_of(picture).astype(np.float64), places)
    mask = _cut_out(picture, probability, places)
    if (mask & is_crown).sum() < _MIN_FOUND * is_crown.sum():
        return None
    return along_edges(rgb, view.put_back(mask.astype(np.float32), rgb.shape[:2]), _FILTER_RADIUS * frame.unit_px)


def head_radius(frame: FaceFrame, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance from the middle of the head, 1 on its outline, at places in the face's coordinates."""
    left, right = frame.points[OUTLINE][[0, -1], 0]
    half_width = _WIDTH * (right - left) / 2
    height = np.where(y < _MIDDLE, _TOP, _BOTTOM)
    return np.hypot((x - (left + right) / 2) / half_width, (y - _MIDDLE) / height)


def _places(view: UprightView, image_hw: tuple[int, int]) -> _Places:
    cv2 = import_cv2()
    points, (x, y) = view.frame.points, view.coordinates()
    chin, half_width = points[CHIN], np.ptp(points[OUTLINE][[0, -1], 0]) / 2
    is_face = _hull(view, np.concatenate([points[OUTLINE], points[BROWS] - (0, 0.08)]))
    cheeks = _hull(view, np.concatenate([points[1:5], points[12:16], points[27:36]]))
    is_cheek = cheeks & (np.abs(x - points[NOSE_BASE, 0]) < 0.95)
    radius = head_radius(view.frame, x, y)
    is_neck = (y > chin[1]) & (np.abs(x - chin[0]) < 0.75 * half_width)
    priors = _priors(radius, y, chin[1], is_face, is_neck)
    inside = cv2.erode(view.is_inside(image_hw).astype(np.uint8), np.ones((3, 3)), borderValue=0) > 0
    return _Places(radius, priors, inside, is_face, is_cheek, y < chin[1])


def _priors(radius: np.ndarray, y: np.ndarray, chin: float, is_face: np.ndarray, is_neck: np.ndarray) -> np.ndarray:
    """Probabilities of skin, hair and background by place alone, chosen by looking at photos of LFW."""
    above = _step(-y, -0.9, 0.3)
    crown = 0.9 * above * _step(radius, 0.55, 0.85) * (1 - _step(radius, 1.0, 1.55))
    sides = 0.29 * (1 - above) * _step(radius, 0.95, 1.1) * (1 - _step(radius, 1.3, 1.7))
    hair = crown + sides * (1 - _step(y, chin, chin + 0.9))
    skin = np.where(is_neck, 3.0, np.maximum(1 - _step(radius, 0.5, 1.0), 0.02))
    background = np.where(y > chin + 0.4, 2.0, 0.02 + 0.98 * _step(radius, 0.85, 1.5))
    priors = np.stack([skin, hair, background]) / (skin + hair + background)
    return np.where(is_face, np.array([1.0, 1e-6, 1e-6])[:, None, None], priors)


def _step(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _hull(view: UprightView, points: np.ndarray) -> np.ndarray:
    """Pixels of the view inside the convex hull of points in the face's coordinates."""
    cv2 = import_cv2()
    filled = np.zeros(view.size_hw, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(view.pixels_of(points)), 1)
    return filled > 0


def _probability(lab: np.ndarray, places: _Places) -> np.ndarray:
    """Probability of hair at each pixel of the view, float64; 0 beyond the photo."""
    is_far = places.is_inside & (places.radius > _FAR) & places.is_above_chin
    skin = log_density(clustered(lab[places.is_inside & places.is_cheek], 3), lab)
    background = log_density(clustered(lab[is_far], 6), lab)
    log_priors = np.log(places.priors + 1e-9)
    others = np.logaddexp(log_priors[0] + skin, log_priors[2] + background)
    is_telling = places.is_telling
    weights = np.exp(log_priors[1] - np.logaddexp(log_priors[1], others + _TYPICAL))
    parts = [Normal.fit(lab[is_telling], weights[is_telling])]
    for _ in range(_N_ROUNDS):
        hair = log_priors[1] + log_density(parts, lab, _LOG_UNLIKE_HAIR)
        weights = np.exp(hair - np.logaddexp(hair, others))
        parts = halved(lab[is_telling], weights[is_telling])
    return np.where(places.is_inside, weights, 0)


def _cut_out(picture: np.ndarray, probability: np.ndarray, places: _Places) -> np.ndarray:
    """Pixels of hair, bool: the probabilities cut along the edges of the picture, and only what hangs together with the crown."""
    cv2 = import_cv2()
    labels = np.where(probability > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[probability > _SURE], labels[probability < 1 - _SURE] = cv2.GC_FGD, cv2.GC_BGD
    if (labels == cv2.GC_FGD).any():
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(picture, labels, None, *models, 1, cv2.GC_INIT_WITH_MASK)
    is_hair = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)) & places.is_inside
    opened = cv2.morphologyEx(is_hair.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
    _, pieces = cv2.connectedComponents(opened)
    on_crown = np.bincount(pieces[places.is_crown & (pieces > 0)], minlength=pieces.max() + 1)
    return (on_crown > _SMALLEST_PIECE)[pieces] & (pieces > 0)


def along_edges(rgb: np.ndarray, mask: np.ndarray, radius_px: float) -> np.ndarray:
    """A mask, float32 of 0 to 1, with soft edges where the picture has them: the guided filter."""
    cv2 = import_cv2()
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    side = 2 * max(1, round(radius_px)) + 1

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, (side, side))

    mean_gray, mean_mask = mean(gray), mean(mask)
    slope = (mean(gray * mask) - mean_gray * mean_mask) / (mean(gray * gray) - mean_gray**2 + _FILTER_VARIANCE)
    offset = mean_mask - slope * mean_gray
    return np.clip(mean(slope) * gray + mean(offset), 0, 1)
