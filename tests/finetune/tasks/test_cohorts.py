"""A criterion that shall be as good for one cohort as for another."""

import numpy as np
import pandas as pd
import pytest
import torch

from faceheads.fairness.scores import mean_minus_gap_score
from faceheads.labels import LabelError
from finetune.recipes import recipe
from finetune.tasks import make_task

N = 24
RNG = np.random.default_rng(1)
LABELS = pd.DataFrame({"glasses": RNG.integers(0, 2, N) * 2 - 1, "hat": np.arange(N) % 2, "sex": list("mmwwmwmm") * 3})
EVERYONE, ROWS = np.zeros(N, bool), torch.arange(N)


def task_of(embedding_size=3, labels=LABELS, **settings):
    torch.manual_seed(0)
    chosen = {"target": "glasses", "cohort": "sex", "smoothing": 0.0, **settings}
    return make_task(recipe("criterion", **chosen), labels, EVERYONE, embedding_size)


def embedding_of(seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(N, 3))).float().requires_grad_()


def test_the_score_is_that_of_the_fairness_module_and_every_figure_is_reported():
    task, x = task_of().eval(), embedding_of()
    figures = task.metrics(x, ROWS)
    decided = np.array([-1, 1])[task.task.head(x).argmax(1).numpy()]
    expected = mean_minus_gap_score(LABELS["glasses"], decided, sensitive_features=LABELS["sex"])
    assert figures["mean_minus_gap"] == pytest.approx(expected)
    assert figures["score"] == pytest.approx(100 * (1 - expected))
    assert figures["gap"] == pytest.approx(abs(figures["accuracy_m"] - figures["accuracy_w"]))
    assert "glasses_accuracy" in figures and "glasses_balanced_accuracy" in figures


def test_the_accuracy_alone_does_not_decide():
    """A classifier with the better accuracy but the larger gap has the worse score, see the seeds' checkpoints by accuracy."""
    sex = np.array(list("mmmmwwww"))
    labels = pd.DataFrame({"glasses": [0, 1] * 4, "sex": sex})
    torch.manual_seed(0)
    task = make_task(recipe("criterion", target="glasses", cohort="sex"), labels, np.zeros(8, bool), 1).eval()
    task.task.head[1].weight.data, task.task.head[1].bias.data = torch.tensor([[-1.0], [1.0]]), torch.zeros(2)
    right = 2.0 * torch.tensor(labels["glasses"].to_numpy()) - 1
    unequal = right * torch.tensor([1, 1, 1, 1, -1, -1, 1, 1.0])  # 4 of 4 and 2 of 4
    equal = right * torch.tensor([1, 1, -1, -1, -1, 1, 1, -1.0])  # 2 of 4 and 2 of 4
    scores = {}
    for name, x in {"unequal": unequal, "equal": equal}.items():
        scores[name] = task.metrics(x[:, None], torch.arange(8))
    assert scores["unequal"]["glasses_accuracy"] > scores["equal"]["glasses_accuracy"]
    assert scores["unequal"]["score"] == pytest.approx(100 - (75 - 50))
    assert scores["equal"]["score"] == pytest.approx(100 - (50 - 0))


def loss_and_gradient(weight):
    x = embedding_of()
    terms = task_of(gap_weight=weight).loss(x, ROWS)
    terms["loss"].backward()
    return terms["loss"].item(), terms["gap"].item(), x.grad


def test_the_gap_is_alive_and_its_weight_scales_it():
    (loss_0, gap, at_0), (loss_1, _, at_1), (loss_3, _, at_3) = map(loss_and_gradient, (0.0, 1.0, 3.0))
    assert gap > 0 and loss_1 - loss_0 == pytest.approx(gap, rel=1e-5)
    assert loss_3 - loss_0 == pytest.approx(3 * gap, rel=1e-5)
    assert (at_1 - at_0).abs().max() > 1e-4
    torch.testing.assert_close(at_3 - at_0, 3 * (at_1 - at_0), rtol=1e-3, atol=1e-7)


def test_training_with_the_gap_in_the_loss_makes_the_gap_smaller():
    """Men are told apart by a large number, women by a small one."""
    size = torch.from_numpy(np.where(LABELS["sex"] == "m", 1.0, 0.2) * LABELS["glasses"].to_numpy()).float()
    x = size[:, None] + 0.1 * embedding_of().detach()
    gaps = {}
    for weight in (0.0, 5.0):
        task = task_of(gap_weight=weight)
        optimiser = torch.optim.SGD(task.parameters(), 0.5)
        for _ in range(60):
            optimiser.zero_grad()
            terms = task.loss(x, ROWS)
            terms["loss"].backward()
            optimiser.step()
        gaps[weight] = terms["gap"].item()
    assert gaps[5.0] < 0.3 * gaps[0.0]


def test_a_cohort_without_a_row_in_the_validation_part_leaves_no_score():
    only_men = torch.from_numpy(np.flatnonzero(LABELS["sex"] == "m"))
    assert np.isnan(task_of().metrics(embedding_of()[only_men], only_men)["score"])


def test_several_criteria_count_alike():
    both = task_of(target="glasses, hat", cohort="").eval()
    x = embedding_of()
    each = [task.loss(x, ROWS)["loss"].item() for task in both.tasks]
    assert both.loss(x, ROWS)["loss"].item() == pytest.approx(np.mean(each))
    scores = [task.metrics(x, ROWS)["score"] for task in both.tasks]
    assert both.metrics(x, ROWS)["score"] == pytest.approx(np.mean(scores))
    assert {"loss_glasses", "loss_hat"} < set(both.loss(x, ROWS))
    accuracies = task_of(target="glasses,hat").metrics(x, ROWS)
    assert accuracies["accuracy_m"] == pytest.approx(both.accuracies(x, ROWS)[LABELS["sex"].to_numpy() == "m"].mean())


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(LabelError, match="must be a column of two values; 'hat' has 3"):
        task_of(target="hat", labels=LABELS.assign(hat=np.arange(N) % 3))
    with pytest.raises(LabelError, match="2 to 20 cohorts; 'sex' has 24"):
        task_of(labels=LABELS.assign(sex=np.arange(N)))
    with pytest.raises(ValueError, match="Give --target"):
        task_of(target=" , ")
    with pytest.raises(ValueError, match="--gap_weight needs cohorts"):
        recipe("gender", gap_weight=1.0)
    with pytest.raises(ValueError, match="--cohort is for the recipes gender and criterion; got the recipe 'arcface'"):
        recipe("arcface", cohort="sex")
