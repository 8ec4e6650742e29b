"""Made-up images and faces."""

import numpy as np

from features.face import Face


def smooth_image(height=200, width=240):
    """Slow waves in three colours, RGB: an image whose values between the pixels are known."""
    y, x = np.mgrid[:height, :width]
    return wave(x, y)


def wave(x, y):
    waves = (np.sin(x / 19), np.cos(y / 23), np.sin((x + y) / 31))
    return np.stack([np.rint(127.5 + 100 * w) for w in waves], axis=-1).astype(np.uint8)


def noise_image(height=200, width=240):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def face_at(box_xyxy, landmarks_xy=None, scheme="none", detector="hog"):
    face = Face(np.array(box_xyxy), 1.0, detector)
    return face if landmarks_xy is None else face.with_landmarks(np.array(landmarks_xy), scheme)


def random_face(rng, scheme, image_hw=(200, 240)):
    """A face with random whole landmarks, some of them outside the image."""
    n = {"dlib5": 5, "dlib68": 68}[scheme]
    centre = rng.uniform(0, image_hw[::-1])
    return face_at([10, 10, 90, 90], np.rint(centre + rng.normal(0, 30, (n, 2))), scheme)
