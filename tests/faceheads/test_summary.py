"""The printed summary: which number stands where, and what faces that were not found were given."""

import pytest

from faceheads.summary import summary_text
from faceheads.training import TrainingOptions, train_heads
from tests.faceheads.people import people_table


@pytest.fixture(scope="module")
def result():
    table, labels = people_table(n_without_face=40)
    options = TrainingOptions(targets=("gender", "age"), head="logistic", n_resamples=20)
    return train_heads(table, labels, options)


def test_each_line_has_the_head_first_and_the_baseline_behind_it(result):
    lines = summary_text(result).splitlines()
    for head, name, label, scale in zip(
        result.file.heads, ("accuracy", "mae"), ("  accuracy ", "  mean absolute error"), (100, 1), strict=True
    ):
        (line,) = (line for line in lines if line.startswith(label))
        values = [getattr(head.report, side)[name].value * scale for side in ("metrics", "baseline")]
        digits = 1 if scale == 100 else 2
        places = [line.index(f"{value:.{digits}f}") for value in values]
        assert values[0] != values[1]
        assert places == sorted(places)


def test_an_age_is_shown_decade_by_decade(result):
    decades = result.details[1].decades
    lines = summary_text(result).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("  decade"))
    shown = [line.split() for line in lines[start + 1 : start + 1 + len(decades.names)]]
    assert [" ".join(words[:3]) for words in shown] == list(decades.names)
    assert [[int(n) for n in words[3 : 3 + len(decades.names)]] for words in shown] == decades.counts.tolist()
    assert result.details[0].decades is None


def test_faces_that_were_not_found_are_counted_with_what_they_were_given(result):
    text = summary_text(result)
    n = result.file.heads[0].report.n_test_without_face
    assert f"{n} of these without a face, given the training part's most frequent class" in text
    assert f"{n} of these without a face, given the training part's median" in text
