"""Trials: pairs of rows with their similarity, failures kept."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from faceheads.verification.trials import TrialError, make_trials, similarities
from tests.tables import small_table

PAIRS = pd.DataFrame(
    {
        "probe": ["a/one.jpg", "a/two.jpg", "a/one.jpg"],
        "reference": ["c.PNG", "b/none.jpg", "a/two.jpg"],
        "is_mated": [True, False, False],
    }
)


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
            a, b = embeddings[probe[k]].astype(float), embeddings[reference[k]].astype(float)
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


def test_an_image_without_a_face_stays_a_trial_that_was_not_made():
    trials = make_trials(small_table(), PAIRS, "cosine")
    assert list(trials.is_acquired) == [True, False, True]
    assert np.isnan(trials.similarity[1])
    assert list(trials.is_mated) == [True, False, False]
    assert list(trials.probe_identity) == ["a", "a", "a"]


def test_the_first_face_of_an_image_is_compared():
    trials = make_trials(small_table(), PAIRS, "cosine")
    assert trials.reference[2] == 1


def test_a_listed_image_without_a_row_is_an_error_with_examples():
    pairs = PAIRS.assign(probe=["x/gone.jpg", *PAIRS["probe"][1:]])
    with pytest.raises(TrialError, match=r"1 listed images have no row.*'x/gone.jpg'"):
        make_trials(small_table(), pairs, "cosine")


def test_an_unknown_metric_is_refused():
    with pytest.raises(ValueError, match="metric must be one of"):
        similarities(np.zeros((2, 2)), np.array([0]), np.array([1]), "manhattan")
