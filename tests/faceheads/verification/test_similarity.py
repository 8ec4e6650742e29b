"""Similarities of pairs and of blocks of vectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from faceheads.verification.similarity import METRICS, prepared, similarities, similarity_matrix


@given(
    hnp.arrays(np.float32, (4, 6), elements=st.floats(-5, 5, width=32)).filter(
        lambda a: (abs(a).max(axis=1) > 1).all()
    )
)
def test_similarities_equal_a_plain_loop(embeddings):
    probe, reference = np.array([0, 1, 2, -1]), np.array([1, 1, 3, 0])
    for metric in ("cosine", "euclidean"):
        got = similarities(embeddings, probe, reference, metric)
        for k in range(3):
            a, b = (
                embeddings[probe[k]].astype(float),
                embeddings[reference[k]].astype(float),
            )
            if metric == "cosine":
                wanted = sum(a * b) / (sum(a * a) ** 0.5 * sum(b * b) ** 0.5)
            else:
                wanted = -(sum((a - b) ** 2) ** 0.5)
            assert got[k] == pytest.approx(wanted, abs=1e-5)
        assert np.isnan(got[3])


def test_higher_is_more_alike_in_both_metrics():
    vectors = np.array([[1, 0], [0.9, 0.1], [-1, 0]], np.float32)
    for metric in ("cosine", "euclidean"):
        near, far = similarities(vectors, np.array([0, 0]), np.array([1, 2]), metric)
        assert near > far


def test_blocks_and_pairs_say_the_same():
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 1, (30, 8))
    one, other = np.divmod(np.arange(900), 30)
    for metric in METRICS:
        block = similarity_matrix(prepared(vectors, metric), prepared(vectors, metric), metric)
        np.testing.assert_allclose(block.ravel(), similarities(vectors, one, other, metric), atol=1e-7)


def test_an_unknown_metric_is_refused():
    with pytest.raises(ValueError, match="metric must be one of"):
        similarities(np.zeros((2, 2)), np.array([0]), np.array([1]), "manhattan")
