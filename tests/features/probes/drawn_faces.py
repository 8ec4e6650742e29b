"""Drawn heads with known landmarks: hair above, skin, a plain background."""

import numpy as np

from features.probes.frame import FaceFrame
from features.probes.scene import Scene

SKIN, HAIR, WALL = (205, 160, 130), (60, 40, 28), (90, 120, 170)
UNIT = 40


def mean_shape():
    """Landmarks of a face that looks at the camera, scheme dlib68, in eye distances from the middle of the eyes."""
    t = np.linspace(0, np.pi, 17)
    outline = np.stack([-1.15 * np.cos(t), -0.1 + 1.95 * np.sin(t)], axis=1)
    brows = [(x, -0.42) for x in np.linspace(-0.9, 0.9, 10)]
    nose = [(0, y) for y in (0.0, 0.2, 0.45, 0.65)] + [(x, 0.8) for x in np.linspace(-0.25, 0.25, 5)]
    angle = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    eyes = [(side * 0.5 - 0.2 * np.cos(a), -0.06 * np.sin(a)) for side in (-1, 1) for a in angle]
    around = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    mouth = [(-0.4 * np.cos(a), 1.25 + 0.12 * np.sin(a)) for a in around]
    return np.concatenate([outline, brows, nose, eyes, mouth])


def frame_at(centre_xy, unit_px=UNIT, angle=0.0):
    """A face at a place, of a size, turned in the plane by an angle in radians."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return FaceFrame(unit_px * mean_shape() @ turn.T + centre_xy)


def drawn_head(image_hw=(260, 260), centre_xy=(130, 125), angle=0.0, has_hair=True, seed=0):
    """A picture with its frame and where its hair is, bool of shape (height, width)."""
    frame = frame_at(centre_xy, angle=angle)
    x, y = frame.coordinates(image_hw)
    rng = np.random.default_rng(seed)
    face = (x / 1.15) ** 2 + ((y - 0.35) / 1.5) ** 2 < 1
    head = (x / 1.35) ** 2 + ((y + 0.1) / np.where(y < -0.1, 1.75, 0.6)) ** 2 < 1
    hair = head & ~face & (y < 0.4) & has_hair
    rgb = np.empty((*image_hw, 3))
    rgb[:] = WALL
    rgb[hair], rgb[face] = HAIR, SKIN
    noise = rng.normal(0, 5, (*image_hw, 1)) + rng.normal(0, 2, (*image_hw, 3))
    return np.clip(rgb + noise, 0, 255).astype(np.uint8), frame, hair


def drawn_scene(**changes):
    """A scene of such a picture."""
    rgb, frame, _ = drawn_head(**changes)
    return Scene(rgb, frame)
