"""Scores of windows, against the weights multiplied out."""

import numpy as np
import pytest

from features.detect.fhog import filters, geometry
from tests.features.detect.fhog import reference


def strip_with(planes, model, work):
    """A strip whose planes (rows, columns, 31) are put into the work space."""
    windows_y, windows_x = planes.shape[0] - 9, planes.shape[1] - 9
    n_rows, plane_stride, response_stride, score_pitch = geometry.strip_layout(
        windows_y, windows_x, model.most_filters
    )
    assert n_rows >= windows_y
    pitch = geometry.plane_pitch(windows_x)
    work.planes[:] = 0
    for plane in range(31):
        for line in range(planes.shape[0]):
            start = plane * plane_stride + line * pitch
            work.planes[start : start + planes.shape[1]] = planes[line, :, plane]
    return filters.Strip(
        0, windows_y, windows_x, pitch, plane_stride, response_stride, score_pitch, n_rows * score_pitch
    )


def random_planes(windows_y, windows_x, seed=0):
    return reference.padded(np.random.default_rng(seed).uniform(0, 0.4, (windows_y, windows_x, 31)).astype(np.float32))


def strip_scores(strip, work):
    flat = work.scores[: 5 * strip.score_stride].reshape(5, -1, strip.score_pitch)
    return flat[:, : strip.n_rows, : strip.n_columns].copy()


@pytest.mark.parametrize("windows_y, windows_x", [(1, 1), (8, 16), (9, 17), (13, 40), (24, 7)])
def test_separable_filters_add_up_to_the_weights(windows_y, windows_x, weights, model, work_for):
    work, planes = work_for(windows_y * 8 + 16, windows_x * 8 + 16), random_planes(windows_y, windows_x)
    strip = strip_with(planes, model, work)
    filters.filter_strip(strip, model, work)
    wanted = reference.scores(planes.astype(float), weights.weights.astype(float))
    assert strip_scores(strip, work) == pytest.approx(wanted, abs=2e-5)
    assert np.abs(strip_scores(strip, work) - wanted).max() < filters.RESCORE_MARGIN / 10


def test_windows_at_the_threshold_are_kept_with_the_score_of_the_whole_weights(weights, model, work_for):
    work, planes = work_for(15 * 8 + 16, 21 * 8 + 16), random_planes(15, 21)
    strip = strip_with(planes, model, work)
    filters.filter_strip(strip, model, work)
    scores = reference.scores(planes.astype(float), weights.weights.astype(float))
    scores -= weights.thresholds[:, np.newaxis, np.newaxis]
    threshold = float(np.sort(scores.ravel())[-200:-198].mean())
    work.n_hits[0] = 0
    filters.collect_hits(strip, 3, threshold, model, work)
    hits = work.hits[: work.n_hits[0] * 5].reshape(-1, 5)
    assert hits[:, [0, 2, 3]].tolist() == np.argwhere(scores >= threshold).tolist()
    assert (hits[:, 1] == 3).all()
    assert hits[:, 4] == pytest.approx(scores[scores >= threshold], abs=2e-6)


def test_hits_without_room_are_counted(model, work_for):
    work = work_for(15 * 8 + 16, 21 * 8 + 16)._replace(hits=np.zeros(50))
    strip = strip_with(random_planes(15, 21), model, work)
    filters.filter_strip(strip, model, work)
    work.n_hits[0] = 0
    filters.collect_hits(strip, 0, -1000.0, model, work)
    assert work.n_hits[0] == 5 * 15 * 21
