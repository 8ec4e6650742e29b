"""Which rows are shown: right ones of every class, the worst first, none twice."""

import numpy as np
import pytest

from faceheads.fitted_head import Head
from faceheads.measuring import Answers
from faceheads.report.training.example_choice import N_EXAMPLES, right_rows, wrong_rows
from faceheads.targets import Target

N = 60


def answers_of(y, raw, task="classification", classes=("a", "b")):
    target = Target("x", task, ("x",), classes if task == "classification" else ())
    head = Head(target, "logistic", None, thresholds=(0.5,) if target.classes else ())
    return Answers(head, np.asarray(y), np.asarray(raw, float), np.zeros(len(y)), 0, 0)


@pytest.fixture
def classes():
    """Sixty rows, of which every fifth is of class b; the first ten are wrong, the fourth most of all."""
    y = (np.arange(N) % 5 == 0).astype(int)
    p = np.where(y == 1, 0.9, 0.1)
    p[:10] = 1 - p[:10]
    p[3] = 0.99
    return answers_of(y, np.stack([1 - p, p], axis=1))


def test_right_rows_are_right_and_of_both_classes_in_turn(classes):
    everyone = np.ones(N, bool)
    rows = right_rows(classes, everyone, np.arange(N), seed=0)
    assert len(rows) == N_EXAMPLES == len(set(rows))
    assert (classes.decided[rows] == classes.y[rows]).all()
    assert classes.y[rows].tolist() == [0, 1] * 6
    assert rows.tolist() == right_rows(classes, everyone, np.arange(N), seed=0).tolist()
    assert rows.tolist() != right_rows(classes, everyone, np.arange(N), seed=1).tolist()


def test_wrong_rows_are_wrong_and_the_worst_goes_first(classes):
    rows = wrong_rows(classes, np.ones(N, bool), np.arange(N))
    assert rows[0] == 3 and sorted(rows) == list(range(10))


def test_rows_without_a_face_and_further_rows_of_a_group_are_left_out(classes):
    has_face = np.arange(N) != 3
    groups = np.where(np.arange(N) < 5, 0, np.arange(N))
    rows = wrong_rows(classes, has_face, groups)
    assert 3 not in rows and sorted(rows)[1:] == [5, 6, 7, 8, 9] and rows[rows < 5].size == 1
    few = np.isin(np.arange(N), (20, 21, 30))
    assert sorted(right_rows(classes, few, np.arange(N), seed=0)) == [20, 21, 30]
    assert len(right_rows(classes, few, np.zeros(N), seed=0)) == 1


def test_numbers_have_their_largest_errors_and_examples_from_the_whole_range():
    y = np.arange(N, dtype=float)
    raw = y + np.where(np.arange(N) % 2 == 0, 0.1, 5.0)
    raw[11] = -70
    answers = answers_of(y, raw, "regression")
    rows = right_rows(answers, np.ones(N, bool), np.arange(N), seed=0)
    assert (np.abs(raw - y)[rows] < 1).all()
    assert sorted(rows // 5) == list(range(12))  # one of each twelfth
    assert wrong_rows(answers, np.ones(N, bool), np.arange(N))[0] == 11
    assert not len(wrong_rows(answers_of(y, y, "regression"), np.ones(N, bool), np.arange(N)))
