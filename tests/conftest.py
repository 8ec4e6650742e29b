"""What every test shares: threads, hypothesis' settings, and the photos of `shared/data` where they are present."""

import os

# Before numpy or torch is imported: one thread, for the arrays are small, and none that spins while it waits for work.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MPLBACKEND", "Agg")

from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]

# No deadline: how long an example takes says more about the machine than about the code. The examples are the same in every
# run, so that a red suite is red again; FACEHEADS_RANDOM=1 draws others, to look for new faults.
settings.register_profile("faceheads", deadline=None, derandomize="FACEHEADS_RANDOM" not in os.environ)
settings.load_profile("faceheads")


def pytest_collection_modifyitems(items):
    """Mark whatever reaches for the shared photos, so that `-m "not data"` leaves all of it out."""
    for item in items:
        if "data_dir" in item.fixturenames:
            item.add_marker(pytest.mark.data)


@pytest.fixture(scope="session")
def data_dir():
    """Return the folder of real photos: FACEHEADS_DATA, else `../shared/data` beside the repository. Skip where it is absent."""
    folder = Path(os.environ.get("FACEHEADS_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the photos of shared/data, which are not at {folder}; set FACEHEADS_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def lfw_photos(data_dir):
    """Return 120 photos of LFW, evenly spaced over its people in alphabetical order: 250 x 250, one person in the middle."""
    photos = _photos(data_dir / "lfw" / "lfw-deepfunneled")
    return photos[:: len(photos) // 120][:120]


@pytest.fixture(scope="session")
def group_photos(data_dir):
    """Return the 8 group photos, in alphabetical order; `data_dir / "group_photos" / "expected"` has the tables of 2018."""
    return _photos(data_dir / "group_photos" / "photos")


@pytest.fixture(scope="session")
def wider_photos(data_dir):
    """Return 16 photos of WIDER FACE's validation part, evenly spaced over its event classes: crowds, small and turned faces."""
    photos = _photos(data_dir / "wider_val" / "images")
    return photos[:: len(photos) // 16][:16]


def _photos(folder):
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not found:
        pytest.skip(f"needs the photos of {folder}, which has none; see README.md of shared/ for what belongs there")
    return found
