"""Near-duplicates by distance, block by block, against the full matrix of distances."""

import numpy as np
import pytest

from faceheads.audit import close_pairs as module
from faceheads.audit.close_pairs import close_pairs


def vectors_with_copies(n=300, dimension=16, n_copies=7, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(5, 1, (n, dimension))
    vectors[-n_copies:] = vectors[:n_copies] + rng.normal(0, 0.02, (n_copies, dimension))
    return vectors.astype(np.float32)


def by_full_matrix(vectors, near=0.5):
    distances = np.linalg.norm(vectors[:, None].astype(float) - vectors[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    scale = np.median(distances.min(axis=1))
    first, second = np.nonzero(np.triu(distances <= near * scale))
    return set(zip(first, second)), scale


@pytest.mark.parametrize("blocks", [(1024, 8192), (7, 11)])
@pytest.mark.parametrize("factor", [1.0, 1000.0])
def test_the_pairs_are_those_of_the_full_matrix_whatever_the_blocks_and_the_scale(monkeypatch, blocks, factor):
    monkeypatch.setattr(module, "_BLOCK_ROWS", blocks[0])
    monkeypatch.setattr(module, "_BLOCK_COLUMNS", blocks[1])
    vectors = vectors_with_copies() * np.float32(factor)
    expected, scale = by_full_matrix(vectors)
    found = close_pairs(vectors)
    assert set(zip(found.first, found.second)) == expected
    assert {(i, 293 + i) for i in range(7)} <= expected
    assert (np.diff(found.ratio) >= 0).all()
    distance = np.linalg.norm(vectors[found.first].astype(float) - vectors[found.second], axis=1)
    np.testing.assert_allclose(found.ratio, distance / scale, rtol=1e-4)


def test_of_too_many_pairs_the_closest_are_kept(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK_ROWS", 16)
    vectors = vectors_with_copies()
    every, few = close_pairs(vectors, near=1.5), close_pairs(vectors, near=1.5, max_pairs=4)
    assert len(every) > 100
    np.testing.assert_array_equal(few.first, every.first[:4])
    np.testing.assert_array_equal(few.second, every.second[:4])


def test_vectors_that_are_all_equal_are_all_pairs_and_one_vector_is_none():
    equal = close_pairs(np.ones((4, 3), np.float32))
    assert len(equal) == 6
    assert (equal.ratio == 0).all()
    assert len(close_pairs(np.ones((1, 3), np.float32))) == 0
