"""What a file says of its heads must be possible."""

from dataclasses import replace

import numpy as np
import pytest

from faceheads.fitted_head import Head
from faceheads.head_checks import check_heads
from faceheads.headfile import HeadError
from faceheads.store import load_heads, save_heads
from faceheads.targets import Target
from faceheads.training import train_heads
from faceheads.training_options import TrainingOptions
from tests.faceheads.people import people_table

GENDER = Head(Target("gender", "classification", ("gender",), ("female", "male")), "logistic", None, thresholds=(0.5,))
AGE = Head(Target("age", "regression", ("age",)), "ridge", None)


def of_target(**changes):
    return replace(GENDER, target=replace(GENDER.target, **changes))


def test_heads_that_can_be_meant_pass():
    check_heads([GENDER, AGE, replace(GENDER, target=replace(GENDER.target, name="g", columns=("g",)))])
    check_heads([replace(GENDER, thresholds=(float(np.nextafter(1.0, 2.0)),))])  # decides nothing positive


@pytest.mark.parametrize(
    ("heads", "words"),
    [
        ([GENDER, GENDER], "predicts 'gender' twice"),
        ([of_target(classes=(None, "male"))], "has the classes"),
        ([of_target(classes=("male",))], "has the classes"),
        ([of_target(columns=())], "must have a task"),
        ([of_target(columns=("a", "b"))], "must have one column; it has 2"),
        ([of_target(unit=3)], "must have a task"),
        ([replace(AGE, target=replace(AGE.target, classes=(1, 2)))], "has the classes"),
        ([replace(GENDER, thresholds=())], "must have 1 thresholds; it has 0"),
        ([replace(GENDER, thresholds=(float("nan"),))], "not from 0 to 1"),
        ([replace(GENDER, unsure_margin=float("nan"))], "must be from 0 to 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(heads, words):
    with pytest.raises(HeadError, match=words):
        check_heads(heads)


def test_more_golden_vectors_than_a_file_has_are_refused_because_they_cost_memory(tmp_path):
    options = TrainingOptions(targets=("gender",), head="logistic", n_resamples=20)
    file = train_heads(*people_table(), options).file
    save_heads(tmp_path / "many.skops", replace(file, golden_inputs=np.zeros((100, 8), np.float32)))
    with pytest.raises(HeadError, match="golden vectors are damaged"):
        load_heads(tmp_path / "many.skops")
