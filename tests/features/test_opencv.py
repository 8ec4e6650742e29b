"""OpenCV is there, or the message says what to install."""

import sys

import pytest

from features.opencv import import_cv2


class _FailingImport:
    def __init__(self, message):
        self.message = message

    def find_spec(self, name, path=None, target=None):
        if name == "cv2":
            raise ImportError(self.message)


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("libGL.so.1: cannot open shared object file", "'pip install opencv-python-headless' in place of"),
        ("libgthread-2.0.so.0: cannot open shared object file", "apt-get install libgl1"),
        ("No module named 'cv2'", "OpenCV is needed: pip install opencv-python-headless"),
    ],
)
def test_an_opencv_that_cannot_be_imported_says_what_to_install(monkeypatch, message, advice):
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_FailingImport(message), *sys.meta_path])
    with pytest.raises(ImportError, match=advice):
        import_cv2()


def test_opencv_is_returned_where_it_is_installed():
    assert import_cv2().INTER_LINEAR == 1
