import math

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from faceheads.datasets.values import age_band_of, age_of, band_name, gender_of, number_of, typed, whole_number_of


@pytest.mark.parametrize(
    ("text", "gender"),
    [("Male", "male"), (" F ", "female"), ("female", "female"), ("m", "male"), ("u", None), ("", None), ("1", None)],
)
def test_genders_are_words_or_initials(text, gender):
    assert gender_of(text) == gender


@pytest.mark.parametrize(
    ("text", "ends", "name"),
    [
        ("20-29", (20, 29), "20-29"),
        ("(25, 32)", (25, 32), "25-32"),
        ("35", (35, 35), "35"),
        ("more than 70", (70, math.nan), "more than 70"),
        ("70+", (70, math.nan), "70+"),
        ("None", (math.nan, math.nan), None),
        ("__import__('os')", (math.nan, math.nan), None),
    ],
)
def test_age_bands_of_every_published_form_are_read(text, ends, name):
    assert age_band_of(text) == pytest.approx(ends, nan_ok=True)
    assert band_name(text, *ends) == name


@pytest.mark.parametrize("text", ["", "-1", "123", "nan", "inf", "1_0", "٣", "1e999"])
def test_what_is_no_age_is_missing(text):
    assert math.isnan(age_of(text))


def test_ages_may_have_decimals():
    assert age_of("31.5") == 31.5


@example("0\x1f")
@given(st.text(max_size=20))
def test_any_text_is_a_number_or_missing(text):
    assert isinstance(number_of(text), float)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_being_written(value):
    assert number_of(repr(value)) == value


def test_columns_take_the_type_that_all_their_values_have():
    table = typed(
        pd.DataFrame(
            {
                "age": ["1", "2.5", ""],
                "smiles": ["True", "false", "true"],
                "race": ["1", "x", ""],
                "identity": ["007", "008", ""],
                "empty": ["", "", ""],
            }
        )
    )
    assert table["age"].dtype == float
    assert table["smiles"].tolist() == [True, False, True]
    assert table["race"].tolist()[:2] == ["1", "x"]
    assert table["identity"].tolist()[:2] == ["007", "008"]
    assert table.isna().to_numpy().tolist()[2] == [True, False, True, True, True]


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("000012", 12), ("", None), ("-1", None), ("1" * 10, None), ("٣", None)]
)
def test_whole_numbers_have_one_to_nine_digits(text, number):
    assert whole_number_of(text) == number
