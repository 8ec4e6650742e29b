"""The face's own coordinates: upright, its origin between the eyes, one unit the distance of the eyes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..opencv import import_cv2

#: Points of iBUG 300-W: the two eyes (the one on the image's left first), nose base, mouth, outline from ear to ear, brows.
LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)
NOSE_BRIDGE, NOSE_BASE, MOUTH = 27, 33, slice(48, 68)
OUTLINE, BROWS, CHIN = slice(0, 17), slice(17, 27), 8
#: Distance from the middle of the eyes to the base of the nose, in eye distances, of a face that looks at the camera: of the
#: mean shape of dlib's predictor. A turned face brings its eyes together, but not its eyes and its nose.
_EYES_TO_NOSE = 0.8

#: What an upright view shows, in eye distances from the middle of the eyes: to both sides, above, below.
VIEW_SIDE, VIEW_ABOVE, VIEW_BELOW = 3.1, 3.2, 3.5


@dataclass(frozen=True, eq=False)
class FaceFrame:
    """Where a face lies.

    Attributes
    ----------
    landmarks_xy : ndarray of shape (68, 2), float
        Scheme ``dlib68``, pixels of an image.
    """

    landmarks_xy: np.ndarray

    @cached_property
    def unit_px(self) -> float:
        """Pixels of one unit: the distance of the eyes, as it would be if the face looked at the camera."""
        eyes = np.linalg.norm(self._eyes_xy[1] - self._eyes_xy[0])
        to_nose = np.linalg.norm(self.landmarks_xy[NOSE_BASE] - self._eyes_xy.mean(axis=0))
        return float(max(eyes, to_nose / _EYES_TO_NOSE))

    @cached_property
    def _eyes_xy(self) -> np.ndarray:
        points = np.asarray(self.landmarks_xy, np.float64)
        return np.array([points[LEFT_EYE].mean(axis=0), points[RIGHT_EYE].mean(axis=0)])

    @cached_property
    def to_image(self) -> np.ndarray:
        """Affine matrix of shape (2, 3): from the face's coordinates (x right, y down) to pixels."""
        along = self._eyes_xy[1] - self._eyes_xy[0]
        cosine, sine = self.unit_px * along / np.linalg.norm(along)
        return np.array([[cosine, -sine, self._eyes_xy[:, 0].mean()], [sine, cosine, self._eyes_xy[:, 1].mean()]])

    @cached_property
    def points(self) -> np.ndarray:
        """The landmarks in the face's coordinates, shape (68, 2)."""
        linear, origin = self.to_image[:, :2], self.to_image[:, 2]
        return np.linalg.solve(linear, (np.asarray(self.landmarks_xy, np.float64) - origin).T).T

    def coordinates(self, image_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """x and y of every pixel of an image in the face's coordinates, float32 arrays of shape (height, width)."""
        rows, columns = np.mgrid[: image_hw[0], : image_hw[1]].astype(np.float32)
        inverse = np.linalg.inv(self.to_image[:, :2]).astype(np.float32)
        dx, dy = columns - np.float32(self.to_image[0, 2]), rows - np.float32(self.to_image[1, 2])
        return inverse[0, 0] * dx + inverse[0, 1] * dy, inverse[1, 0] * dx + inverse[1, 1] * dy

    def box(self, image_hw: tuple[int, int]) -> tuple[slice, slice]:
        """Rows and columns of an image that hold the upright view, and with it all that a crop of the face shows."""
        corners = np.array([(x, y) for x in (-VIEW_SIDE, VIEW_SIDE) for y in (-VIEW_ABOVE, VIEW_BELOW)])
        xy = corners @ self.to_image[:, :2].T + self.to_image[:, 2]
        low, high = np.floor(xy.min(axis=0)).astype(int), np.ceil(xy.max(axis=0)).astype(int)
        height, width = image_hw
        return slice(max(0, low[1]), min(height, high[1])), slice(max(0, low[0]), min(width, high[0]))

    def moved(self, offset_xy: tuple[int, int]) -> FaceFrame:
        """The same face in a part of the image that begins at ``offset_xy``, in pixels."""
        return FaceFrame(np.asarray(self.landmarks_xy, np.float64) - np.asarray(offset_xy, np.float64))


@dataclass(frozen=True, eq=False)
class UprightView:
    """A small picture of the face, its hair and what is around them, upright.

    Attributes
    ----------
    frame : FaceFrame
    unit_px : int
        Pixels of the view for one unit of the face.
    """

    frame: FaceFrame
    unit_px: int

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return round((VIEW_ABOVE + VIEW_BELOW) * self.unit_px), round(2 * VIEW_SIDE * self.unit_px)

    @property
    def from_view(self) -> np.ndarray:
        """Affine matrix of shape (2, 3): from pixels of the view to pixels of the image."""
        linear, origin = self.frame.to_image[:, :2], self.frame.to_image[:, 2]
        return np.column_stack([linear / self.unit_px, origin - linear @ (VIEW_SIDE, VIEW_ABOVE)])

    def coordinates(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y of the view's pixels in the face's coordinates, float64 arrays of the view's shape."""
        rows, columns = np.mgrid[: self.size_hw[0], : self.size_hw[1]]
        return columns / self.unit_px - VIEW_SIDE, rows / self.unit_px - VIEW_ABOVE

    def pixels_of(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 2) in the face's coordinates as whole pixels of the view, int32."""
        return np.rint((np.asarray(points) + (VIEW_SIDE, VIEW_ABOVE)) * self.unit_px).astype(np.int32)

    def take(self, image: np.ndarray) -> np.ndarray:
        """The view of an image, black beyond its edges; uint8 of shape (*size_hw, 3) or (*size_hw,)."""
        cv2 = import_cv2()
        shrink = self.frame.unit_px / self.unit_px
        if shrink > 1:  # the mean of neighbours, for a bilinear sample sees four pixels only
            image = cv2.GaussianBlur(image, (0, 0), 0.4 * shrink)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(image, self.from_view, self.size_hw[::-1], flags=flags)

    def put_back(self, values: np.ndarray, image_hw: tuple[int, int]) -> np.ndarray:
        """Values of the view, float32, at the pixels of an image; 0 where the view does not reach."""
        return import_cv2().warpAffine(values, self.from_view, image_hw[::-1])

    def is_inside(self, image_hw: tuple[int, int]) -> np.ndarray:
        """Pixels of the view that the image shows, bool of the view's shape."""
        cv2 = import_cv2()
        everything = np.ones(image_hw, np.uint8)
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(everything, self.from_view, self.size_hw[::-1], flags=flags) > 0
