"""The guard around decoding: what it changes for the process, and that it puts everything back."""

import logging
import warnings

import pytest
from PIL import Image

from faceheads.images.quiet_pillow import quiet_pillow


def test_everything_is_put_back_even_after_an_error(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 12_345)
    filters = list(warnings.filters)
    with pytest.raises(KeyError), quiet_pillow(99):
        assert Image.MAX_IMAGE_PIXELS == 99
        warnings.warn("not shown", stacklevel=1)
        raise KeyError
    assert Image.MAX_IMAGE_PIXELS == 12_345
    assert warnings.filters == filters
    assert logging.getLogger("PIL").level == logging.NOTSET


def test_the_settings_last_until_the_last_of_several_threads_has_left(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 7)
    first, second = quiet_pillow(2000), quiet_pillow(1000)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert Image.MAX_IMAGE_PIXELS == 2000
    second.__exit__(None, None, None)
    assert Image.MAX_IMAGE_PIXELS == 7


def test_another_thread_never_sees_a_lower_limit_while_it_is_set(monkeypatch):
    seen = []
    monkeypatch.setattr(logging.getLogger("PIL"), "setLevel", lambda level: seen.append(Image.MAX_IMAGE_PIXELS))
    with quiet_pillow(1000):
        pass
    assert seen[0] == 1000
