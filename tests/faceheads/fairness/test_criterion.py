"""A criterion is checked when it is made."""

import pytest

from faceheads.fairness.criterion import CRITERIA, MEAN_MINUS_GAP, Criterion, as_criterion


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "gini"}, f"one of {', '.join(CRITERIA)}; got 'gini'"),
        ({"tolerance": -0.1}, "tolerance must be at least 0; got -0.1"),
        ({"tolerance": float("nan")}, "tolerance must be at least 0; got nan"),
        ({"tolerance": "luck"}, "tolerance must be a number of at least 0 or 'chance'; got 'luck'"),
        ({"min_precision": 0.0}, r"min_precision must be in \(0, 1\]; got 0.0"),
        ({"min_precision": 1.1}, r"min_precision must be in \(0, 1\]; got 1.1"),
    ],
)
def test_what_is_wrong_is_said(values, words):
    with pytest.raises(ValueError, match=words):
        Criterion(**values)


def test_a_name_stands_for_its_default_numbers():
    assert as_criterion("f1") == Criterion("f1", 0.9, 0.0)
    assert as_criterion(Criterion("f1", 0.5)).min_precision == 0.5
    assert Criterion().name == MEAN_MINUS_GAP
    assert [name for name in CRITERIA if Criterion(name).compares] == ["mean_minus_gap", "minimum"]
