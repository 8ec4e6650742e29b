import math

import numpy as np
import pandas as pd
import pytest
import torch

from faceheads.labels import LabelError
from finetune.recipes import RECIPES, recipe
from finetune.tasks import AgeTask, ClassTask, MarginTask, QuadrupletTask, make_task
from finetune.tasks.making import person_codes


def test_accuracy_is_reported_beside_its_mean_over_classes():
    task = ClassTask("gender", torch.tensor([0, 0, 0, 1]), 2, 1)
    task.head[1].weight.data = torch.tensor([[-1.0], [1.0]])
    task.head[1].bias.data.zero_()
    figures = task.metrics(torch.tensor([[-1.0], [-1.0], [1.0], [1.0]]), torch.arange(4))
    assert figures == pytest.approx({"gender_accuracy": 0.75, "gender_balanced_accuracy": 5 / 6, "score": 25.0})


@pytest.mark.parametrize("kind", ["distribution", "huber"])
def test_ages_are_in_years_and_learned(kind):
    torch.manual_seed(0)
    ages = torch.tensor([1.0, 20.0, 40.0, 80.0])
    task, x = AgeTask(ages, 4, kind, 3.0), 3 * torch.eye(4)
    optimiser = torch.optim.Adam(task.parameters(), 0.3)
    for _ in range(150):
        optimiser.zero_grad()
        task.loss(x, torch.arange(4))["loss"].backward()
        optimiser.step()
    assert task.metrics(x, torch.arange(4))["age_mae"] < 2


def test_fakes_are_non_mated_with_the_person_they_claim_to_be():
    person, is_fake = torch.tensor([0, 0, 1, 1, 0, 1]), torch.tensor([0, 0, 0, 0, 1, 1]).bool()
    angles = torch.tensor([0.0, 0.1, 1.5, 1.6, 0.05, 1.55])  # persons apart, fakes right between the photos
    embedding = 5 * torch.stack([angles.cos(), angles.sin()], 1)
    figures = QuadrupletTask(person, is_fake, 0.3, 1.0).metrics(embedding, torch.arange(6))
    assert figures["eer_real"] == 0 and figures["eer_fake"] == 1
    assert figures["score"] == pytest.approx(50)


def test_a_batch_without_quadruplets_logs_the_names_of_all_parts():
    task = QuadrupletTask(torch.tensor([0, 1, 2]), torch.tensor([False, False, True]), 0.3, 1.0)
    terms = task.loss(torch.eye(3, requires_grad=True), torch.arange(3))
    assert terms["loss"] == 0 and list(terms)[1:] == ["real", "fake", "d_positive", "d_negative", "d_fake"]
    assert all(terms[name].isnan() for name in list(terms)[1:])


def test_persons_begin_as_the_mean_direction_of_their_training_photos():
    embedding = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, -3.0], [5.0, 5.0]])
    for has_mean_start in (True, False):
        task = MarginTask(torch.tensor([0, 0, 1, 2]), 2, 2, "arcface", 8.0, 0.1, has_mean_start)
        before = task.softmax.weight.detach().clone()
        task.begin(lambda rows: embedding[rows])
        expected = torch.tensor([[0.5**0.5, 0.5**0.5], [0.0, -1.0]]) if has_mean_start else before
        torch.testing.assert_close(task.softmax.weight.detach(), expected)


def test_a_margin_logs_the_distances_of_the_hardest_photos_too():
    angles = torch.tensor([0.0, 0.2, 1.0, 1.4])  # two persons; the nearest of the other one is the second or the third
    embedding = 7 * torch.stack([angles.cos(), angles.sin()], 1).requires_grad_()
    task = MarginTask(torch.tensor([0, 0, 1, 1]), 2, 2, "arcface", 8.0, 0.1)
    terms = task.loss(embedding, torch.arange(4))
    chord = [2 * math.sin(angle / 2) for angle in (0.2, 0.2, 0.4, 0.4, 1.0, 0.8, 0.8, 1.2)]
    assert terms["d_positive"].item() == pytest.approx(sum(chord[:4]) / 4)
    assert terms["d_negative"].item() == pytest.approx(sum(chord[4:]) / 4)
    assert not terms["d_positive"].requires_grad and not terms["d_negative"].requires_grad


def test_persons_of_the_training_part_are_numbered_first():
    codes, n_persons = person_codes(pd.Series(["b", "a", "c", "a"]), np.array([False, True, False, True]))
    assert codes.tolist() == [0, 2, 1, 2] and n_persons == 2


LABELS = pd.DataFrame(
    {"gender": ["m", "f"] * 6, "age": range(12), "identity": list("aabbccaabbcc"), "fake": [0] * 9 + [1] * 3}
)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_has_a_loss_with_a_gradient(name):
    torch.manual_seed(0)
    settings = {"target": "gender,fake"} if name == "criterion" else {}
    is_validation = np.arange(12) >= 9 if name != "quadruplet" else np.zeros(12, bool)
    teacher = np.ones((12, 5), np.float32) if name == "distil" else None
    task = make_task(recipe(name, **settings), LABELS, is_validation, 5, teacher)
    embedding = torch.randn(12, 5, requires_grad=True)
    rows = torch.arange(12)[: 9 if name != "quadruplet" else 12]
    task.loss(embedding[: len(rows)], rows)["loss"].backward()
    assert embedding.grad.abs().sum() > 0


def test_labels_that_do_not_fit_are_refused():
    everyone = np.zeros(12, bool)
    with pytest.raises(LabelError, match="two classes or more"):
        make_task(recipe("gender"), LABELS.assign(gender="m"), everyone, 5)
    with pytest.raises(LabelError, match="12 rows have none"):
        make_task(recipe("age_gender"), LABELS.assign(age="old"), everyone, 5)
    with pytest.raises(LabelError, match="both must occur"):
        make_task(recipe("quadruplet"), LABELS.assign(fake=0), everyone, 5)


def test_a_setting_out_of_range_is_refused():
    with pytest.raises(ValueError, match="--balance must be one of"):
        recipe("gender", balance="both")
    with pytest.raises(ValueError, match="--epochs must be at least 1"):
        recipe("gender", epochs=0)
    with pytest.raises(ValueError, match="--recipe must be one of"):
        recipe("nose")
