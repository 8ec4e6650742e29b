"""The outcome of every row, whose means are the figures of the training."""

import numpy as np
import pandas as pd
import pytest
import torch

from faceheads.metrics.intervals import GroupBootstrap
from finetune.outcomes import OUTCOMES, estimates
from finetune.recipes import recipe
from finetune.tasks import make_task

LABELS = pd.DataFrame(
    {
        "gender": ["f", "m", "m", "f"],
        "age": [1.0, 20.0, 30.0, 5.0],
        "mask": [0, 1, 1, 0],
        "region": ["n", "s", "n", "s"],
    }
)


@pytest.mark.parametrize(
    ("name", "settings", "figures"),
    [
        ("gender", {}, ["gender_accuracy"]),
        ("gender", {"cohort": "region"}, ["gender_accuracy"]),
        ("age_gender", {}, ["gender_accuracy", "age_mae"]),
        ("criterion", {"target": "mask,gender"}, ["mask_accuracy", "gender_accuracy"]),
    ],
)
def test_the_mean_of_the_outcomes_is_the_figure(name, settings, figures):
    torch.manual_seed(0)
    task = make_task(recipe(name, **settings), LABELS, np.array([False, False, True, True]), 3).eval()
    embedding, rows = torch.randn(4, 3), torch.arange(4)
    found = task.outcomes(embedding, rows)
    metrics = task.metrics(embedding, rows)
    assert list(found) == figures
    for figure, values in found.items():
        assert values.shape == (4,) and values.mean().item() == pytest.approx(metrics[figure])
        assert (values >= 0).all()


def test_a_row_of_several_criteria_counts_by_the_share_of_right_decisions():
    torch.manual_seed(0)
    task = make_task(recipe("criterion", target="mask,gender"), LABELS, np.array([False, False, True, True]), 3).eval()
    embedding, rows = torch.randn(50, 3), torch.arange(50) % 4
    mask, gender = task.outcomes(embedding, rows).values()
    assert ((mask + gender) == 1).any()  # one of the two decisions is right
    assert torch.equal(task.accuracies(embedding, rows), (mask + gender) / 2)


def test_intervals_draw_groups_not_rows(tmp_path):
    frame = pd.DataFrame(
        {"key": list("abcd"), "group": [0, 0, 1, 2], "gender_accuracy": [1, 1, 0, 1], "age_mae": [1.5, 2, 3, 4]}
    )
    frame.to_csv(tmp_path / OUTCOMES, index=False)
    found = estimates(tmp_path)
    draws = GroupBootstrap(np.array([0, 0, 1, 2]))
    assert found["gender_accuracy"] == draws.of_mean(np.array([1.0, 1, 0, 1]), is_proportion=True).estimate()
    assert found["age_mae"] == draws.of_mean(np.array([1.5, 2, 3, 4])).estimate()
    assert found["age_mae"].low < 2.625 < found["age_mae"].high


def test_decisions_that_are_all_right_are_a_share_with_an_interval(tmp_path):
    frame = pd.DataFrame({"key": list("abcd"), "group": [0, 0, 1, 2], "gender_accuracy": [1, 1, 1, 1]})
    frame.to_csv(tmp_path / OUTCOMES, index=False)
    accuracy = estimates(tmp_path)["gender_accuracy"]
    assert accuracy.value == 1 and accuracy.low < 1


def test_without_a_file_there_are_none_and_a_damaged_one_is_named(tmp_path):
    assert estimates(tmp_path) == {}
    (tmp_path / OUTCOMES).write_text("key,gender_accuracy\na,1\n")
    with pytest.raises(ValueError, match="validation.csv must be what python -m finetune wrote"):
        estimates(tmp_path)
