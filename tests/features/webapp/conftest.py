"""The app as a process of its own for the tests that need a server, and its actions in this process for those that do not."""

from pathlib import Path

import pytest

from benchmarks.app_client import running_app
from features.webapp.actions import Actions
from features.webapp.limits import Limits
from features.webapp.models import Catalogue
from features.webapp.photo import PhotoReader
from features.webapp.throttle import Throttle
from features.webapp.workers import Workers


@pytest.fixture(scope="session")
def group_photo(data_dir):
    """Return a photo of several people, 1024 x 576."""
    return data_dir / "group_photos" / "photos" / "ellen-selfie.jpg"


@pytest.fixture(scope="session")
def pair(data_dir):
    """Return two photos of one person of LFW."""
    folders = sorted((data_dir / "lfw" / "lfw-deepfunneled").iterdir())
    return next(photos[:2] for folder in folders if len(photos := sorted(folder.glob("*.jpg"))) >= 4)


@pytest.fixture(scope="session")
def actions():
    """Return what the page calls, with the heads and the threshold that ship."""
    limits = Limits(photos=3)
    workers = Workers(1)
    yield Actions(Catalogue.load((), (), ()), PhotoReader(limits), workers, Throttle(0))
    workers.close()


@pytest.fixture(scope="session")
def app(tmp_path_factory, pair):
    """Start the app, with two example photos and a second way to compare."""
    pytest.importorskip("gradio")
    folder = tmp_path_factory.mktemp("app")
    examples = folder / "examples"
    examples.mkdir()
    for path in pair:
        (examples / path.name).write_bytes(Path(path).read_bytes())
    options = ["--jobs", "1", "--rate", "0", "--max_mb", "3", "--examples", str(examples), "--embedder", "dlib"]
    with running_app(folder / "run", options) as running:
        yield running
