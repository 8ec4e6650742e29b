"""Photos in which nobody was found are looked into once more."""

import numpy as np

from features.face import Face
from features.restore import restored
from features.second_look import SecondLook


class OnlyBright:
    """Finds a face where a photo has white in it."""

    name = "hog"
    landmark_scheme = "none"

    def __init__(self):
        self.settings = {"upsample": 1}
        self.n_seen = 0

    def detect(self, images):
        self.n_seen += len(images)
        return [
            [Face(np.array([0, 0, 9, 9]), float(image[0, 0, 0]), "hog")] if image.max() > 250 else []
            for image in images
        ]


def ramp(highest):
    return np.repeat(np.linspace(0, highest, 900).reshape(30, 30, 1), 3, axis=2).astype(np.uint8)


def test_a_dark_photo_is_found_in_its_clearer_copy_and_the_others_are_seen_once():
    inner = OnlyBright()
    bright, dark, black = ramp(255), ramp(60), ramp(0)
    found = SecondLook(inner).detect([bright, dark, black])
    assert [len(faces) for faces in found] == [1, 1, 0]
    assert inner.n_seen == 3 + 2
    assert restored(dark).max() == 255


def test_the_settings_say_that_there_is_a_second_look():
    assert SecondLook(OnlyBright()).settings == {"upsample": 1, "restore": True}
