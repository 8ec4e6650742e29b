"""Tiny data sets in the documented layouts: only names and label files matter, so every image is empty."""

import pytest


@pytest.fixture
def make_tree(tmp_path):
    """Return a function that creates empty images in a folder and returns the folder."""

    def make(*images):
        for name in images:
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return tmp_path

    return make


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a text or bytes file below the folder of `make_tree` and returns its path."""

    def write_file(name, content):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return write_file
