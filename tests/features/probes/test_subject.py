import numpy as np
import pytest
from PIL import Image

from features.probes import subject as subject_module
from features.probes.frame import FaceFrame
from features.probes.subject import MAX_UNIT_PX, Subject
from tests.features.probes.drawn_faces import drawn_head
from tests.features.scenes import face_at


def subject(monkeypatch, factor):
    """A drawn head in a photo that is so many times larger."""
    rgb, frame, _ = drawn_head()
    landmarks = factor * frame.landmarks_xy
    known = lambda photo, faces, scheme: [face.with_landmarks(landmarks, scheme) for face in faces]
    monkeypatch.setattr(subject_module, "find_landmarks", known)
    photo = np.asarray(Image.fromarray(rgb).resize([round(side * factor) for side in rgb.shape[1::-1]]))
    face = face_at(factor * np.array([80.0, 80, 180, 210]), landmarks[[45, 42, 36, 39, 33]], "dlib5")
    return photo, face, Subject.of(photo, face)


def test_a_small_face_is_changed_in_its_own_photo(monkeypatch):
    photo, face, found = subject(monkeypatch, 1)
    assert found.photo is photo
    assert found.face is face
    assert np.array_equal(photo[found.place], found.scene.rgb)
    changed = found.with_scene(255 - found.scene.rgb)
    assert np.array_equal(changed[found.place], 255 - photo[found.place])
    changed[found.place] = photo[found.place]
    assert np.array_equal(changed, photo)


def test_the_photo_of_a_large_face_is_shrunk_and_all_that_lies_in_it(monkeypatch):
    photo, face, found = subject(monkeypatch, 6)
    scale = found.photo.shape[0] / photo.shape[0]
    assert found.scene.frame.unit_px == pytest.approx(MAX_UNIT_PX, rel=0.01)
    assert found.face.box_xyxy == pytest.approx(scale * face.box_xyxy, rel=0.01)
    offset = [found.place[1].start, found.place[0].start]
    eyes = FaceFrame(found.scene.frame.landmarks_xy + offset).landmarks_xy[[45, 42, 36, 39, 33]]
    assert found.face.landmarks_xy == pytest.approx(eyes, abs=0.01)
    x, y = found.face.landmarks_xy[4].astype(int)
    assert np.abs(found.photo[y, x].astype(int) - photo[round(y / scale), round(x / scale)]).max() < 25
