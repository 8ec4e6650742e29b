"""Histogram, features and zeros around them, against plain loops."""

import numpy as np
import pytest

from features.detect.fhog import geometry, pyramid
from features.detect.fhog.filters import Strip
from tests.features.detect.fhog import reference
from tests.features.detect.fhog.test_resize import packed


def level_pixels(image):
    pixels = np.zeros(image.shape[0] * image.shape[1] + 2 * geometry.SLACK, np.uint32)
    pixels[geometry.SLACK : -geometry.SLACK] = packed(image)
    return pixels[geometry.SLACK :]


def planes_in_strips(image, n_rows, work):
    """All planes with their zeros, put together from strips of ``n_rows`` rows of windows: (rows, columns, 31)."""
    size = image.shape[:2]
    windows_y, windows_x = (geometry.count_windows(geometry.count_cells(n)) for n in size)
    pitch = geometry.plane_pitch(windows_x)
    stride = (n_rows + 9) * pitch + geometry.SLACK
    work.magnitudes[:] = 7  # what an earlier image may have left
    work = work._replace(planes=np.full(31 * stride + geometry.SLACK, np.float32(7)))
    lines = []
    for first in range(0, windows_y, n_rows):
        rows = min(n_rows, windows_y - first)
        strip = Strip(first, rows, windows_x, pitch, stride, 0, 0, 0)
        pyramid.fill_planes(level_pixels(image), size, strip, n_rows, work)
        kept = range(rows + 9) if first + rows == windows_y else range(rows)
        lines += [_line(work.planes, line, pitch, stride, windows_x + 9) for line in kept]
    return np.array(lines)


def _line(planes, line, pitch, stride, n):
    return np.stack([planes[plane * stride + line * pitch :][:n] for plane in range(31)], axis=1).copy()


@pytest.mark.parametrize(
    "size, n_rows",
    [((24, 24), 8), ((80, 90), 8), ((47, 65), 1), ((61, 51), 2), ((29, 540), 64)],
)
def test_planes_equal_plain_loops_whatever_the_strips(size, n_rows, work_for):
    image = reference.textured(*size, seed=sum(size))
    wanted = reference.padded(reference.features(reference.histogram(image)))
    found = planes_in_strips(image, n_rows, work_for(*size))
    assert found.shape == wanted.shape
    assert found == pytest.approx(wanted, abs=2e-6)


def test_a_flat_image_has_no_features(work_for):
    found = planes_in_strips(np.full((60, 70, 3), 130, np.uint8), 3, work_for(60, 70))
    assert not found.any()
