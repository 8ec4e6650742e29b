import numpy as np
import pandas as pd
import pytest

from faceheads.datasets.submissions import write_idemia_submission, write_kryptonite_submission

LISTED = ["test/2.jpg", "test/0.jpg", "test/1.jpg"]


@pytest.mark.parametrize("values", [[0, 1, 1], [-1, 1, 1], [False, True, True], [-1.0, 1.0, 1.0]])
def test_idemia_predictions_follow_the_test_list_and_not_their_own_order(tmp_path, values):
    predictions = pd.Series(values, index=["test/0.jpg", "test/1.jpg", "test/2.jpg"])
    write_idemia_submission(tmp_path / "s.csv", predictions, LISTED)
    assert (tmp_path / "s.csv").read_bytes() == b"1\n-1\n1\n"


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (LISTED[:2], r"2 values for 3 listed. without a value: \['test/1.jpg'\]"),
        ([*LISTED, "test/9.jpg"], r"not listed: \['test/9.jpg'\]"),
        ([*LISTED, LISTED[0]], r"given twice: \['test/2.jpg'\]"),
    ],
)
def test_predictions_that_do_not_match_the_list_are_an_error_and_nothing_is_written(tmp_path, index, message):
    with pytest.raises(ValueError, match=message):
        write_idemia_submission(tmp_path / "s.csv", pd.Series(1, index=index), LISTED)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [2, 0.5, np.nan])
def test_a_prediction_of_another_value_is_an_error(tmp_path, value):
    with pytest.raises(ValueError, match="a prediction must be -1, 0 or 1"):
        write_idemia_submission(tmp_path / "s.csv", pd.Series([1, 1, value], index=LISTED), LISTED)


@pytest.mark.parametrize("index", [[12, 3], ["00000012", "00000003"]])
def test_kryptonite_pairs_have_eight_digits_and_are_sorted(tmp_path, index):
    write_kryptonite_submission(tmp_path / "s.csv", pd.Series([0.25, -1], index=index, dtype=float))
    assert (tmp_path / "s.csv").read_bytes() == b"pair_id,similarity\n00000003,-1.0\n00000012,0.25\n"


def test_every_pair_that_is_asked_for_must_have_a_similarity(tmp_path):
    with pytest.raises(ValueError, match=r"without a value: \[4\]"):
        write_kryptonite_submission(tmp_path / "s.csv", pd.Series([0.5], index=[3]), ["00000003", "00000004"])


@pytest.mark.parametrize(
    ("index", "value", "message"),
    [
        ([1], np.nan, "must be finite"),
        ([-1], 0.5, "a whole number"),
        (["1.5"], 0.5, "a whole number"),
        ([10**8], 0.5, "a whole number"),
        ([1, "00000001"], 0.5, r"given twice: \[1\]"),
    ],
)
def test_pairs_and_similarities_that_cannot_be_written_are_errors(tmp_path, index, value, message):
    with pytest.raises(ValueError, match=message):
        write_kryptonite_submission(tmp_path / "s.csv", pd.Series(value, index=pd.Index(index, dtype=object)))
