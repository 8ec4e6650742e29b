import numpy as np
import pandas as pd
import pytest
import torch

from faceheads.labels import LabelError
from faceheads.table_io import write_table
from finetune.cli import finetune_main
from finetune.optimisation import make_optimiser
from finetune.recipes import recipe
from finetune.tasks import make_task
from finetune.teacher import teacher_embeddings
from tests.finetune.crops import write_crops

N = 10
LABELS = pd.DataFrame({"gender": list("mf") * 5})
ROWS, IS_VALIDATION = torch.arange(N), np.arange(N) >= 8
RNG = np.random.default_rng(0)
TEACHER = RNG.normal(size=(N, 4)).astype(np.float32)


def task_of(dimension=4, teacher=TEACHER, **settings):
    torch.manual_seed(0)
    return make_task(recipe("gender", **settings), LABELS, IS_VALIDATION, dimension, teacher)


def gradient(weight, kind):
    x = torch.randn(N, 4, generator=torch.Generator().manual_seed(1)).requires_grad_()
    task_of(distil_weight=weight, distil_loss=kind).loss(x, ROWS)["loss"].backward()
    return x.grad


@pytest.mark.parametrize("kind", ["cosine", "mse"])
def test_the_teacher_is_alive_and_its_weight_scales_it(kind):
    at_0, at_1, at_3 = (gradient(weight, kind) for weight in (0.0, 1.0, 3.0))
    assert (at_1 - at_0).abs().max() > 1e-3
    torch.testing.assert_close(at_3 - at_0, 3 * (at_1 - at_0), rtol=1e-3, atol=1e-6)
    x = torch.randn(N, 4, generator=torch.Generator().manual_seed(1)).requires_grad_()
    task_of(teacher=None).loss(x, ROWS)["loss"].backward()
    torch.testing.assert_close(at_0, x.grad)


def test_the_teachers_own_embeddings_are_at_no_distance_and_the_score_is_the_tasks():
    task = task_of(distil_loss="mse").eval()
    x = torch.from_numpy(TEACHER)
    figures = task.metrics(x, ROWS)
    assert figures["distil"] == 0
    assert figures["score"] == task.task.metrics(x, ROWS)["score"]


def test_a_teacher_with_other_numbers_is_reached_by_a_map_that_begins_at_least_squares_and_learns():
    student = RNG.normal(size=(N, 6)).astype(np.float32)
    student[:, 5] = 0  # a number that is dead
    teacher = (student @ RNG.normal(size=(6, 3))).astype(np.float32)
    task = task_of(6, teacher, distil_loss="mse")
    asked = []
    task.begin(lambda rows: (asked.extend(rows), torch.from_numpy(student[rows]))[1])
    assert asked == list(range(8))  # the validation part decides nothing
    assert task.metrics(torch.from_numpy(student), ROWS)["distil"] < 1e-8
    optimiser = make_optimiser(torch.nn.Linear(1, 1), task, recipe("gender"))
    assert any(p is task.teaching.map.weight for group in optimiser.param_groups for p in group["params"])


def test_the_recipe_distil_learns_from_a_teacher_alone():
    nothing = pd.DataFrame(index=range(N))
    task = make_task(recipe("distil"), nothing, IS_VALIDATION, 4, TEACHER)
    x = -torch.from_numpy(TEACHER)
    x[0] *= -1
    assert task.loss(x, ROWS)["loss"].item() == pytest.approx(2 * (N - 1) / N)
    assert task.metrics(x, ROWS) == {"distil": pytest.approx(1.8), "score": pytest.approx(180)}
    assert task.outcomes(x, ROWS)["distil"].numpy() == pytest.approx([0] + [2] * (N - 1), abs=1e-6)
    with pytest.raises(LabelError, match="learns from a teacher alone. Give --teacher TABLE"):
        make_task(recipe("distil"), nothing, IS_VALIDATION, 4)


def test_the_command_distils_without_labels(tmp_path):
    table, _ = write_crops(tmp_path / "crops", n_people=9)
    write_table(tmp_path / "f.parquet", table)
    small = ["--backbone", "resnet18", "--batch_size", "8", "--epochs", "1", "--balance", "sampler"]
    files = ["--crops", str(tmp_path / "crops"), "--feature", str(tmp_path / "f.parquet"), "--jobs", "1"]
    options = [*files, "--teacher", str(tmp_path / "f.parquet"), "--recipe", "distil", *small]
    assert finetune_main([*options, "--validation_size", "0.3", "--out", str(tmp_path / "run")]) == 0
    assert list(pd.read_csv(tmp_path / "run" / "epochs.csv")) == ["step", "epoch", "distil", "score"]
    card = (tmp_path / "run" / "embedder" / "card.md").read_text(encoding="utf-8")
    assert "(1 − cosine) to the embeddings of a teacher" in card
    # each photo a group of its own where nobody says who is on it
    assert "| learned from | 16 | 16 |" in card and "| validated on | 7 | 7 |" in card


def test_embeddings_of_the_teacher_are_joined_by_key(tmp_path):
    table, _ = write_crops(tmp_path, n_people=3)
    keys = [str(key) for key in table.keys][::-1]
    np.testing.assert_array_equal(teacher_embeddings(table, keys), table.embedding[::-1])
    with pytest.raises(ValueError, match=r"1 of 3 are missing, for example \['p9/0.jpg'\]"):
        teacher_embeddings(table, [*keys[:2], "p9/0.jpg"])
