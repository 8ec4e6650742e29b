"""How one real or fake image is made: every one passes through the same crop, resampling and (in the runner) JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial import QhullError

from faceheads.images.reading import read_image

from .face_collection import PhotoFace
from .face_points import find_face_points
from .face_swap import FacePhoto, swap_face
from .fake_plan import REAL, PlannedImage
from .picture import CannotMake
from .self_blend import self_blend

#: Rows and columns of what is written, and how far it reaches beyond the box on each side, as a share of the box.
SIZE_PX, MARGIN = 200, 0.5


@dataclass(frozen=True)
class FakeMaker:
    """Makes the images of a plan.

    Attributes
    ----------
    root : Path
        The data folder.
    size_px : int, default=200
        Rows and columns of the images.
    margin : float, default=0.5
        How far they reach beyond the face's box on each side, as a share of its longer side.
    own_shape : float, default=0.5
        As :func:`finetune.face_swap.swap_face` has it.
    """

    root: Path
    size_px: int = SIZE_PX
    margin: float = MARGIN
    own_shape: float = 0.5

    def open(self, source: str) -> np.ndarray:
        """The photo, RGB uint8."""
        return read_image(self.root / source).rgb

    def make(self, opened: np.ndarray, picture: PlannedImage) -> np.ndarray:
        """The image, uint8 of shape (size_px, size_px, 3).

        Raises
        ------
        CannotMake
            If the landmarks of a face lie on one line.
        """
        return crop_square(self._whole(opened, picture), picture.target.box_xyxy, self.size_px, self.margin)

    def _whole(self, rgb: np.ndarray, plan: PlannedImage) -> np.ndarray:
        """The photo with the real or fake face in it."""
        if plan.generator == REAL:
            return rgb
        photo = _face_photo(rgb, plan.face)
        if plan.generator == "self_blend":
            return self_blend(photo, np.random.default_rng([plan.seed, plan.number]))
        target = _face_photo(self.open(plan.target.path), plan.target)
        try:
            return swap_face(photo, target, plan.generator, self.own_shape)
        except QhullError as error:
            raise CannotMake("the landmarks of the target's face lie on one line") from error


def _face_photo(rgb: np.ndarray, face: PhotoFace) -> FacePhoto:
    return FacePhoto(rgb, find_face_points(rgb, np.array(face.box_xyxy)))


def crop_square(rgb: np.ndarray, box_xyxy: np.ndarray, size_px: int, margin: float) -> np.ndarray:
    """A square around a box, resampled; black where it leaves the image.

    Parameters
    ----------
    rgb : ndarray of shape (height, width, 3), uint8
    box_xyxy : sequence of four float
        Half-open.
    size_px : int
        Rows and columns of the result.
    margin : float
        Beyond the box on each side, as a share of its longer side.
    """
    x0, y0, x1, y1 = box_xyxy
    half = max(x1 - x0, y1 - y0) * (0.5 + margin)
    centre_x, centre_y = (x0 + x1) / 2, (y0 + y1) / 2
    box = [round(v) for v in (centre_x - half, centre_y - half, centre_x + half, centre_y + half)]
    part = Image.fromarray(rgb).crop(box)
    return np.asarray(part.resize((size_px, size_px), Image.Resampling.BICUBIC))
