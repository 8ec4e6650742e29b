import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from faceheads.discovery.attributes import from_labels, from_predictions
from faceheads.labels import LabelError
from faceheads.prediction import decide, number


def labels(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=[f"{i}.jpg" for i in range(n)])


def test_two_classes_give_one_attribute_and_more_give_one_each():
    found = from_labels(labels(gender=["female", "male"] * 3, race=["a", "b", "c"] * 2), ["gender", "race"])
    assert found.names == ("gender = male", "race = a", "race = b", "race = c")
    assert found.degrees[:, 0].tolist() == [0, 1] * 3
    assert found.degrees[:, 1:].tolist() == np.tile(np.eye(3), (2, 1)).tolist()


def test_columns_of_zero_and_one_are_called_by_their_name_alone():
    found = from_labels(labels(Eyeglasses=[0, 1, 1, 0], Blond=[1, -1, 1, -1]), ["Eyeglasses", "Blond"])
    assert found.names == ("Eyeglasses", "Blond")
    assert found.degrees.T.tolist() == [[0, 1, 1, 0], [1, 0, 1, 0]]


def test_ages_are_cut_at_whole_decades_that_some_but_not_all_reach():
    found = from_labels(labels(age=[12.0, 20, 39, 41]), ["age"])
    assert found.names == ("age >= 20", "age >= 30", "age >= 40")
    assert found.degrees[:, 0].tolist() == [0, 1, 1, 1]


def test_an_unknown_label_is_unknown_in_every_attribute_of_its_column():
    found = from_labels(labels(age=[12.0, np.nan, 39, 41], gender=["f", "m", None, "m"]), ["age", "gender"])
    assert found.is_complete.tolist() == [True, False, False, True]
    assert np.isnan(found.degrees[1, :3]).all()
    assert np.isnan(found.degrees[2, 3])


def test_predicted_classes_keep_their_probabilities():
    p = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])
    found = from_predictions([decide("race", ("a", "b", "c"), p, 0.5, 0.2)])
    assert found.names == ("race = a", "race = b", "race = c")
    assert np.array_equal(found.degrees, p)


def test_a_predicted_number_reaches_a_limit_with_the_probability_of_its_error():
    values = np.array([15.0, 38.0])
    found = from_predictions([number("age", values, "years", typical_error=4.0)])
    sd = 4.0 / (norm.expect(abs))  # the mean absolute error of a normal distribution, by integration
    assert found.degrees[:, found.names.index("age >= 40")] == pytest.approx(norm.cdf((values - 40) / sd), rel=1e-6)


def test_a_predicted_number_without_a_known_error_is_taken_as_it_is():
    found = from_predictions([number("age", np.array([15.0, 38.0]), "years", np.nan)])
    assert set(np.unique(found.degrees)) == {0, 1}


def test_attributes_that_do_not_differ_are_an_error():
    with pytest.raises(LabelError, match="No attribute differs"):
        from_predictions([decide("gender", ("f", "m"), np.full((3, 2), 0.5), 0.5, 0.2)])
