import numpy as np
import pytest

from features.align import crop_faces
from features.face import Face
from finetune.crop_face import face_in_crop

CHIP = {"kind": "dlib_chip", "size": 120, "padding": 0.25}


def spots(points_xy):
    """A photo that is black but for a white spot at each point."""
    y, x = np.mgrid[:700, :700]
    light = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / 98) for px, py in points_xy)
    return np.repeat(np.clip(255 * light, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def spot_near(crop, point_xy, radius_px=8):
    y, x = np.mgrid[: crop.shape[0], : crop.shape[1]]
    light = crop[:, :, 0] * ((x - point_xy[0]) ** 2 + (y - point_xy[1]) ** 2 < radius_px**2)
    return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()


def test_landmarks_of_a_dlib_chip_are_where_dlib_brings_them():
    """A face whose points are those of the chip, but turned, larger and elsewhere, fits dlib's own frame."""
    there = face_in_crop(CHIP, 120).landmarks_xy
    turn = 4.0 * np.array([[np.cos(0.2), np.sin(0.2)], [-np.sin(0.2), np.cos(0.2)]])
    photo_xy = np.rint(there @ turn + [90, 150]).astype(np.float32)
    face = Face(np.array([150, 180, 480, 560]), 1.0, "hog", photo_xy, "dlib5")
    (crop,) = crop_faces(spots(photo_xy), [face], CHIP)
    np.testing.assert_allclose([spot_near(crop, point) for point in there], there, atol=0.01 * 120)


def test_landmarks_of_a_similarity_crop_are_its_template():
    template = [[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]]
    face = face_in_crop({"kind": "similarity", "template": template, "size_hw": [112, 112]}, 112)
    np.testing.assert_allclose(face.parts_xy, [*template[:3], np.mean(template[3:], axis=0)])
    assert face.face_px == pytest.approx(2.2 * 35.2, rel=1e-3)


def test_crops_of_boxes_show_the_face_anywhere():
    face = face_in_crop({"kind": "box_margin", "size": 160, "margin": 20}, 160)
    assert (face.landmark_scheme, face.face_px) == ("none", 160.0)
