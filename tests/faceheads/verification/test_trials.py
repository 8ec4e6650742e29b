"""Trials: pairs of rows with their similarity, failures kept."""

import numpy as np
import pandas as pd
import pytest

from faceheads.verification.trials import TrialError, make_trials
from tests.tables import small_table

PAIRS = pd.DataFrame(
    {
        "probe": ["a/one.jpg", "a/two.jpg", "a/one.jpg"],
        "reference": ["c.PNG", "b/none.jpg", "a/two.jpg"],
        "is_mated": [True, False, False],
    }
)


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
