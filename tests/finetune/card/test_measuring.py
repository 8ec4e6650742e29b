import math

import numpy as np
import pandas as pd
import pytest
import torch

from finetune.card.measuring import ValidationPart, measure
from finetune.card.person_rates import person_rates
from finetune.recipes import RECIPES, recipe
from finetune.tasks import AgeTask, ClassTask, JointTask, MarginTask, QuadrupletTask, make_task

N = 200


def class_task(classes):
    task = ClassTask("gender", torch.from_numpy(classes), 2, 1).eval()
    task.head[1].weight.data = torch.tensor([[-1.0], [1.0]])
    task.head[1].bias.data.zero_()
    return task


def test_classes_and_ages_are_measured_in_all_and_by_cohort():
    rng = np.random.default_rng(0)
    gender, race = rng.integers(0, 2, N), np.where(np.arange(N) < 120, "a", "b")
    is_wrong = (np.arange(N) % 4 == 0) & (race == "b")
    decided = torch.from_numpy(np.where(gender == 1, 1.0, -1.0) * np.where(is_wrong, -1, 1)).float()[:, None]
    ages = AgeTask(torch.full((N,), 30.0), 1, "huber", 3.0).eval()
    ages.head[1].weight.data.zero_()
    ages.head[1].bias.data.fill_(4.0)
    task = JointTask([class_task(gender), ages], [1.0, 1.0])
    labels = pd.DataFrame({"gender": gender, "race": race, "age": 30.0})
    found = measure(task, decided, ValidationPart(np.arange(N), labels, np.arange(N)), ("race", "age", "absent"))
    assert [one.name for one in found] == ["gender", "age"]
    accuracy = found[0].metrics["accuracy"]
    assert accuracy.value == pytest.approx(0.9) and accuracy.low < 0.9 < accuracy.high
    assert list(found[0].cohorts) == ["race"]  # all are 30 years old
    assert [c.metrics["accuracy"].value for c in found[0].cohorts["race"]] == [1.0, pytest.approx(0.75)]
    assert found[1].metrics["mae"].value == pytest.approx(4.0)


def test_few_rows_of_a_cohort_are_not_spoken_of():
    labels = pd.DataFrame({"gender": np.arange(N) % 2, "race": np.where(np.arange(N) < 7, "rare", "other")})
    part = ValidationPart(np.arange(N), labels, np.arange(N))
    (found,) = measure(class_task(np.arange(N) % 2), torch.randn(N, 1), part, ("race",))
    other, rare = found.cohorts["race"]
    assert other.metrics and not rare.metrics and rare.note.startswith("not shown")


@pytest.mark.parametrize("has_fakes", [False, True])
def test_persons_are_compared_within_cohorts(has_fakes):
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(40), 4)
    is_fake = np.tile([False, False, False, has_fakes], 40)
    embedding = torch.from_numpy(np.eye(40)[person] + 0.01 * rng.normal(size=(160, 40))).float()
    labels = pd.DataFrame({"identity": person, "gender": np.where(person < 25, "f", "m"), "fake": is_fake.astype(int)})
    codes = torch.from_numpy(person)
    if has_fakes:
        task = QuadrupletTask(codes, torch.from_numpy(is_fake), 0.3, 1.0)
    else:
        task = MarginTask(codes, 40, 40, "arcface", 8.0, 0.1)
    (found,) = measure(task, embedding, ValidationPart(np.arange(160), labels, person), ("gender",))
    assert list(found.metrics) == (["eer_real", "eer_fake"] if has_fakes else ["eer"])
    assert found.metrics["eer_real" if has_fakes else "eer"].value == 0
    assert not has_fakes or found.metrics["eer_fake"].value == pytest.approx(0.5, abs=0.1)
    women, men = found.cohorts["gender"]
    assert (women.n_rows, women.n_groups) == (100, 25) and women.metrics
    assert not men.metrics and men.note == "not shown: fewer than 20 people"


def test_rates_without_pairs_are_undefined_not_zero():
    person, nobody = np.array(["a", "b", "c"]), np.zeros(3, bool)
    assert math.isnan(person_rates(np.eye(3), person, nobody)["eer"].value)
    rates = person_rates(np.eye(3), np.array(["a", "a", "b"]), np.array([False, False, True]))
    assert math.isnan(rates["eer_real"].value) and math.isnan(rates["eer_fake"].value)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_what_every_recipe_learns_is_measured(name):
    labels = pd.DataFrame(
        {"gender": list("fm") * 6, "age": range(12), "identity": list("aabbcc") * 2, "fake": [0] * 9 + [1] * 3}
    )
    chosen = recipe(name, target="gender") if name == "criterion" else recipe(name)
    teacher = np.ones((12, 5), np.float32) if name == "distil" else None
    task = make_task(chosen, labels, np.arange(12) >= 9, 5, teacher).eval()
    found = measure(task, torch.randn(12, 5), ValidationPart(np.arange(12), labels, np.arange(12)), ())
    assert found and all(one.metrics for one in found)


def test_a_column_that_cannot_be_a_cohort_is_warned_of_and_left_out(capsys):
    labels = pd.DataFrame({"gender": np.arange(N) % 2, "age": [np.inf, *range(1, N)]})
    part = ValidationPart(np.arange(N), labels, np.arange(N))
    (found,) = measure(class_task(np.arange(N) % 2), torch.randn(N, 1), part, ("gender", "age"))
    assert list(found.cohorts) == ["gender"]
    assert "the card has no figures by age: " in capsys.readouterr().err
