"""Glasses drawn on a face, and the control: the same glasses drawn where they mean nothing.

Sizes are in eye distances, those of an ordinary frame: lenses of 50 by 36 mm, eyes 63 mm apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..opencv import import_cv2
from .blending import blend
from .frame import LEFT_EYE, NOSE_BRIDGE, OUTLINE, RIGHT_EYE, FaceFrame
from .scene import Scene

#: Half height of a lens, its half width as a share of the way from the eye to the bridge of the nose, how far its middle is
#: below the eye; the exponent of its superellipse (2 is an ellipse, more a rectangle).
_HALF_HEIGHT, _WIDTH_SHARE, _BELOW, _ROUNDNESS = 0.29, 0.84, 0.05, 3.0
_FRAME, _TEMPLE = 0.04, 0.035
_FRAME_RGB = (28, 24, 22)
#: Lenses of sunglasses: above, below, and how little comes through.
_DARK_ABOVE_RGB, _DARK_BELOW_RGB, _DARKNESS = (14, 14, 16), (46, 44, 44), 0.93
#: A lens reflects a little of the light around.
_GLARE_RGB, _GLARE = (235, 240, 245), 0.10
#: Shadow that the frame throws below itself.
_SHADOW, _SHADOW_BELOW = 0.28, 0.05
#: Where the control is drawn: so far below the eyes, over the mouth.
MOVED_DOWN = 1.1
#: The drawing has so many pixels for one of the photo, which are then averaged.
_FINER = 3


@dataclass(frozen=True)
class _Lens:
    """A lens: its middle and its half sizes in the face's coordinates, and the end of the temple on its side."""

    centre: np.ndarray
    half_size: np.ndarray
    temple_end: np.ndarray

    def outline(self, n_points: int = 72) -> np.ndarray:
        """Points of its edge, shape (n_points, 2): a superellipse."""
        angle = np.linspace(0, 2 * np.pi, n_points, endpoint=False)
        directions = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return self.centre + self.half_size * np.sign(directions) * np.abs(directions) ** (2 / _ROUNDNESS)

    @property
    def has_temple(self) -> bool:
        """Whether the temple is seen: not on the far side of a turned face."""
        return bool(abs(self.temple_end[0] - self.centre[0]) > 1.1 * self.half_size[0])


def clear_glasses(scene: Scene, moved_down: float = 0.0) -> np.ndarray:
    """The scene with glasses in a dark frame; ``moved_down`` eye distances below the eyes."""
    drawing = _Drawing(scene, moved_down)
    rgb = blend(scene.rgb, np.zeros_like(scene.rgb), _SHADOW * drawing.shadow())
    rgb = blend(rgb, _plain(scene, _GLARE_RGB), _GLARE * drawing.glare())
    return blend(rgb, _plain(scene, _FRAME_RGB), drawing.frame())


def dark_glasses(scene: Scene, moved_down: float = 0.0) -> np.ndarray:
    """The scene with sunglasses, as :func:`clear_glasses`."""
    drawing = _Drawing(scene, moved_down)
    rgb = blend(scene.rgb, np.zeros_like(scene.rgb), _SHADOW * drawing.shadow())
    rgb = blend(rgb, drawing.dark_lens_rgb(), _DARKNESS * drawing.lenses())
    rgb = blend(rgb, _plain(scene, _GLARE_RGB), _GLARE * drawing.glare())
    return blend(rgb, _plain(scene, _FRAME_RGB), drawing.frame())


def _plain(scene: Scene, colour: tuple[int, int, int]) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), scene.rgb.shape)


class _Drawing:
    """Parts of glasses as shares of pixels, float32 of shape (height, width)."""

    def __init__(self, scene: Scene, moved_down: float) -> None:
        self._scene = scene
        self._lenses = _lenses(scene.frame, moved_down)

    def lenses(self) -> np.ndarray:
        """The two lenses, filled."""
        return self._drawn(lambda pen: [pen.fill(lens.outline()) for lens in self._lenses])

    def frame(self) -> np.ndarray:
        """Rims, bridge and temples."""
        return self._drawn(self._draw_frame)

    def shadow(self) -> np.ndarray:
        """The frame's shadow, below it and soft."""
        shadow = self._drawn(lambda pen: self._draw_frame(pen, _SHADOW_BELOW))
        return import_cv2().GaussianBlur(shadow, (0, 0), max(0.4, 0.03 * self._scene.frame.unit_px))

    def glare(self) -> np.ndarray:
        """A slanted strip of light across each lens."""
        x, y = self._scene.coordinates
        strip = np.zeros(self._scene.image_hw, np.float32)
        for lens in self._lenses:
            along = (x - lens.centre[0]) / lens.half_size[0] + 0.6 * (y - lens.centre[1]) / lens.half_size[1]
            strip = np.maximum(strip, np.exp(-(((along + 0.5) / 0.22) ** 2)).astype(np.float32))
        return strip * self.lenses()

    def dark_lens_rgb(self) -> np.ndarray:
        """Colour of dark lenses: lighter towards their lower edge."""
        y = self._scene.coordinates[1]
        middle, half = self._lenses[0].centre[1], self._lenses[0].half_size[1]
        down = np.clip((y - middle) / (2 * half) + 0.5, 0, 1)[..., None]
        return np.rint(np.array(_DARK_ABOVE_RGB) * (1 - down) + np.array(_DARK_BELOW_RGB) * down).astype(np.uint8)

    def _draw_frame(self, pen: _Pen, lower: float = 0.0) -> None:
        shift = np.array([0, lower])
        for lens in self._lenses:
            outline = lens.outline() + shift
            pen.line(np.concatenate([outline, outline[:1]]), _FRAME)
            if lens.has_temple:
                side = np.sign(lens.temple_end[0] - lens.centre[0])
                start = lens.centre + lens.half_size * (side, -0.45)
                pen.line(np.array([start, lens.temple_end]) + shift, _TEMPLE)
        left, right = self._lenses
        ends = (left.centre[0] + left.half_size[0], right.centre[0] - right.half_size[0])
        t = np.linspace(0, np.pi, 12)
        arch = np.stack([np.interp(t, (0, np.pi), ends), left.centre[1] - 0.06 - 0.05 * np.sin(t)], axis=1)
        pen.line(arch + shift, _FRAME)

    def _drawn(self, draw: Callable[[_Pen], object]) -> np.ndarray:
        pen = _Pen(self._scene.frame, self._scene.image_hw)
        draw(pen)
        return pen.shares()


class _Pen:
    """Draws in the face's coordinates, finer than the photo's pixels."""

    def __init__(self, frame: FaceFrame, image_hw: tuple[int, int]) -> None:
        self._frame = frame
        self._image_hw = image_hw
        self._canvas = np.zeros((image_hw[0] * _FINER, image_hw[1] * _FINER), np.uint8)

    def fill(self, points: np.ndarray) -> None:
        """Fill a polygon."""
        import_cv2().fillPoly(self._canvas, [self._pixels(points)], 255)

    def line(self, points: np.ndarray, thickness: float) -> None:
        """Draw a line of a thickness in eye distances."""
        n_px = max(1, round(thickness * self._frame.unit_px * _FINER))
        import_cv2().polylines(self._canvas, [self._pixels(points)], False, 255, n_px)

    def shares(self) -> np.ndarray:
        """How much of each pixel of the photo is drawn on, float32, 0 to 1."""
        cv2 = import_cv2()
        return cv2.resize(self._canvas, self._image_hw[::-1], interpolation=cv2.INTER_AREA) / np.float32(255)

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        xy = points @ self._frame.to_image[:, :2].T + self._frame.to_image[:, 2]
        return np.rint((xy + 0.5) * _FINER - 0.5).astype(np.int32)


def _lenses(frame: FaceFrame, moved_down: float) -> tuple[_Lens, _Lens]:
    """The lens on the image's left and that on its right, as wide as their side of a turned face is seen."""
    points = frame.points
    shift = np.array([0.0, moved_down])
    lenses = []
    for eye, ear in ((points[LEFT_EYE], points[OUTLINE][0]), (points[RIGHT_EYE], points[OUTLINE][-1])):
        half_width = max(_WIDTH_SHARE * abs(eye[:, 0].mean() - points[NOSE_BRIDGE, 0]), 0.2)
        end = np.array([ear[0], -0.05])
        centre = eye.mean(axis=0) + (0, _BELOW)
        lenses.append(_Lens(centre + shift, np.array([half_width, _HALF_HEIGHT]), end + shift))
    return lenses[0], lenses[1]
