"""Drawn faces: smooth pictures with 68 points in the places where a face has them."""

import cv2
import numpy as np

from finetune.face_swap import FacePhoto


def face_points(centre_xy=(60, 66), width=60.0, turn=0.0):
    """68 points of a schematic face, float32 of shape (68, 2); ``turn`` in radians."""
    jaw = [(np.cos(a), 0.15 + 0.85 * np.sin(a)) for a in np.linspace(np.pi, 0, 17)]
    brows = [
        (x, -0.35 - 0.05 * (0.5 - abs(abs(x) - 0.5))) for x in (*np.linspace(-0.8, -0.2, 5), *np.linspace(0.2, 0.8, 5))
    ]
    nose = [(0, y) for y in np.linspace(-0.2, 0.2, 4)] + [(x, 0.28) for x in np.linspace(-0.2, 0.2, 5)]
    ring = np.linspace(np.pi, -np.pi, 6, endpoint=False)
    eyes = [(side + 0.16 * np.cos(a), -0.18 + 0.07 * np.sin(a)) for side in (-0.5, 0.5) for a in ring]
    outer = [(0.35 * np.cos(a), 0.55 + 0.12 * np.sin(a)) for a in np.linspace(np.pi, -np.pi, 12, endpoint=False)]
    inner = [(0.25 * np.cos(a), 0.55 + 0.05 * np.sin(a)) for a in np.linspace(np.pi, -np.pi, 8, endpoint=False)]
    points = np.array([*jaw, *brows, *nose, *eyes, *outer, *inner]) * width / 2
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (points @ rotation.T + centre_xy).astype(np.float32)


def face_photo(seed, size_hw=(130, 120), **points):
    """A smooth random picture with a face's points."""
    noise = np.random.default_rng(seed).normal(128, 90, (*size_hw, 3)).astype(np.float32)
    rgb = np.clip(cv2.GaussianBlur(noise, (0, 0), 4) * 6 - 5 * 128 + 40 * seed, 0, 255).astype(np.uint8)
    return FacePhoto(rgb, face_points(**points))
