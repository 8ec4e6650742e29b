import numpy as np
import pytest

from features.probes.colours import Normal, clustered, halved, lab_of, log_density, rgb_of
from features.probes.hair import along_edges, find_hair
from tests.features.probes.drawn_faces import drawn_head

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("angle", [0.0, 0.35])
def test_drawn_hair_is_found(angle):
    rgb, frame, hair = drawn_head(angle=angle)
    found = find_hair(rgb, frame)
    is_found = found > 0.5
    assert (is_found & hair).sum() / (is_found | hair).sum() > 0.85
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1


def test_a_photo_that_ends_at_the_forehead_shows_no_hair():
    rgb, frame, _ = drawn_head()
    assert find_hair(rgb[95:], frame.moved((0, 95))) is None


def test_a_head_without_hair_has_none():
    rgb, frame, _ = drawn_head(has_hair=False)
    found = find_hair(rgb, frame)
    assert found is None or found.mean() < 0.03


def test_one_normal_distribution_is_that_of_weighted_moments():
    lab, weights = RNG.normal(0, 10, (300, 3)), RNG.random(300)
    normal = Normal.fit(lab, weights, 0.5)
    assert normal.mean == pytest.approx(np.average(lab, axis=0, weights=weights))
    assert normal.covariance == pytest.approx(np.cov(lab.T, aweights=weights, ddof=0) + np.diag([25, 9, 9]))
    values = normal.log_density(lab)
    off = lab[0] - normal.mean
    expected = np.log(0.5) - 0.5 * off @ np.linalg.inv(normal.covariance) @ off
    assert values[0] == pytest.approx(expected - 0.5 * np.linalg.slogdet(normal.covariance)[1])


def test_mixtures_know_their_colours_and_nothing_is_impossible():
    colours = np.concatenate([RNG.normal((20, 0, 0), 2, (200, 3)), RNG.normal((80, 10, 20), 2, (200, 3))])
    for parts in (clustered(colours, 2), halved(colours, np.ones(400))):
        assert sorted(part.mean[0] for part in parts) == pytest.approx([20, 80], abs=1)
        near, far = log_density(parts, np.array([[20.0, 0, 0], [50, 90, -90]]))
        assert near > -6
        assert far == pytest.approx(-14, abs=1e-3)
    assert clustered(colours[:5], 3) == []


def test_colours_come_back_from_lab():
    rgb = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert np.abs(rgb_of(lab_of(rgb)).astype(int) - rgb).max() <= 1


def test_a_mask_follows_the_edge_of_the_picture():
    rgb = np.zeros((40, 40, 3), np.uint8)
    rgb[:, 20:] = 200
    mask = np.zeros((40, 40), np.float32)
    mask[:, 22:] = 1
    soft = along_edges(rgb, mask, 4)
    assert soft[:, 20:22].mean() > 0.5 > soft[:, 18:20].mean()
