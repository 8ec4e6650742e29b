"""The loop on a network of a few numbers: what a step is, and that a kill changes nothing."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from finetune.augment import Augmentation
from finetune.evaluation import Validation
from finetune.examples import Examples
from finetune.history import EPOCHS, STEPS
from finetune.loop import Trainer
from finetune.model import Model
from finetune.observer import Observer
from finetune.recipes import Recipe
from finetune.samplers import shuffled_batches
from finetune.tasks import ClassTask

PLAIN = Augmentation(flip=0, shift=0, zoom=0, colour=0)
#: Settings with which everything that can be drawn at random is.
DRAWN = {"dropout": 0.3, "optimiser": "sing", "augmentation": Augmentation(gray=0.2, blur=0.3, erase=0.5, distort=0.7)}


class TinyNetwork(nn.Module):
    """Means over a normalised convolution: three numbers a crop."""

    def __init__(self, dropout=0.0):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.conv = nn.Conv2d(3, 3, 3)
        self.bn = nn.BatchNorm2d(3)

    def forward(self, crops, layers):
        return self.bn(self.drop(self.conv(crops.float() / 255))).relu().mean((2, 3))


def trainer_in(folder, *observers, dropout=0.0, **settings):
    chosen = {"epochs": 2, "batch_size": 8, "checkpoint_every": 2, "lr": 0.01, "backbone_lr": 1.0, "seed": 3}
    recipe = Recipe("gender", "resnet18", **{**chosen, **settings})
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 2, 30)
    pixels = np.clip(rng.normal(90 + 60 * classes[:, None, None, None], 40, (30, 9, 9, 3)), 0, 255).astype(np.uint8)
    torch.manual_seed(0)
    task = ClassTask("gender", torch.from_numpy(classes), 2, 3)
    examples = Examples(
        pixels, np.arange(30), np.arange(24, 30), lambda epoch: shuffled_batches(24, recipe.batch_size, 3, epoch)
    )
    return Trainer(Model(TinyNetwork(dropout), ("final",), task), examples, recipe, folder, observers=observers)


def files_of(folder):
    return [(folder / name).read_text() for name in (STEPS, EPOCHS)]


class Killed(Exception):
    """Stands for a process that ends here."""


class Killer(Observer):
    """Kills the process behind a step."""

    def __init__(self, last_step):
        self.last_step = last_step

    def step_done(self, progress):
        if progress.step == self.last_step:
            raise Killed


@pytest.mark.parametrize("last_step", [3, 4, 5])
def test_a_killed_and_resumed_training_is_the_same_to_the_last_bit(tmp_path, last_step):
    whole = trainer_in(tmp_path / "whole", **DRAWN)
    whole.run()
    with pytest.raises(Killed):
        trainer_in(tmp_path / "killed", Killer(last_step), **DRAWN).run()
    with open(tmp_path / "killed" / STEPS, "a") as log:
        log.write("1")  # of step 10, in a line that the kill cut off
    resumed = trainer_in(tmp_path / "killed", **DRAWN)
    resumed.resume()
    assert 0 < resumed.progress.step <= last_step
    resumed.run()
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "whole")
    assert len(files_of(tmp_path / "whole")[0].splitlines()) == 7
    for one, other in ((whole.model, resumed.model), (whole.average.module, resumed.average.module)):
        assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values()))


def test_a_training_that_begins_anew_keeps_nothing_of_one_that_had_no_checkpoint(tmp_path):
    trainer_in(tmp_path / "clean").run()
    again = trainer_in(tmp_path / "again")
    (tmp_path / "again" / EPOCHS).write_text("step,epoch,score\n0,0,99\n")
    again.run()
    assert files_of(tmp_path / "again") == files_of(tmp_path / "clean")


def test_two_batches_accumulated_make_the_step_of_one_of_both(tmp_path):
    settings = {"optimiser": "sgd", "clip": 0.0, "augmentation": PLAIN, "epochs": 1, "smoothing": 0.0, "warmup": 0.0}
    once = trainer_in(tmp_path / "a", batch_size=24, **settings)
    twice = trainer_in(tmp_path / "b", batch_size=12, accumulate=2, **settings)
    for trainer in (once, twice):
        for model in (trainer.model, trainer.average.module):  # averages over a batch differ
            model.network.bn = model.task.head[0] = nn.Identity()
        trainer.run()
        assert trainer.progress.step == 1
    for one, other in zip(once.model.parameters(), twice.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-7, rtol=1e-5)


def test_the_learning_rate_of_each_step_is_logged_and_falls_in_steps_not_epochs(tmp_path):
    trainer_in(tmp_path, epochs=4, warmup=0.25).run()
    rates = [float(line.split(",")[1]) for line in (tmp_path / STEPS).read_text().splitlines()[1:]]
    cosine = [0.5 * (1 + math.cos(math.pi * i / 9)) for i in range(9)]
    np.testing.assert_allclose(rates, 0.01 * np.array([1 / 3, 2 / 3, 1, *cosine]))


def test_a_frozen_network_does_not_change_but_its_head_does(tmp_path):
    trainer = trainer_in(tmp_path, backbone_lr=0.0)
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    trainer.run()
    for name, tensor in trainer.model.state_dict().items():
        assert torch.equal(tensor, before[name]) == name.startswith("network."), name


def test_validation_changes_nothing_and_gives_the_same_figures_again(tmp_path):
    trainer = trainer_in(tmp_path)
    trainer.run()
    before = {name: tensor.clone() for name, tensor in trainer.average.module.state_dict().items()}
    assert trainer.validate().figures == trainer.validate().figures
    assert all(torch.equal(tensor, before[name]) for name, tensor in trainer.average.module.state_dict().items())


def test_training_ends_when_the_score_has_not_become_lower(tmp_path):
    trainer = trainer_in(tmp_path, epochs=50, patience=2, lr=1e-9)
    trainer.run()
    assert trainer.progress.step == 2 * trainer.steps_per_epoch


def test_the_weights_that_training_begins_with_are_kept_when_it_makes_them_worse(tmp_path):
    trainer = trainer_in(tmp_path, epochs=1)
    before = {name: tensor.clone() for name, tensor in trainer.model.network.state_dict().items()}
    scores = iter([1.0, 2.0])
    trainer.validate = lambda: Validation({"score": next(scores)}, torch.zeros(6, 3))
    trainer.run()
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert (best["epoch"], best["step"]) == (0, 0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in best["network"].items())


def test_a_loss_that_is_not_finite_is_an_error_and_no_checkpoint_is_made_of_it(tmp_path):
    trainer = trainer_in(tmp_path)
    trainer.model.task.head[1].weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="the loss of step 1 is not finite"):
        trainer.run()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 0


def test_a_score_that_cannot_be_made_is_an_error(tmp_path):
    trainer = trainer_in(tmp_path)
    trainer.validate = lambda: Validation({"eer_fake": math.nan, "score": math.nan}, torch.zeros(6, 3))
    with pytest.raises(ValueError, match="every kind of pair must occur"):
        trainer.run()


def test_half_precision_needs_cuda(tmp_path):
    with pytest.raises(ValueError, match="needs --device cuda"):
        trainer_in(tmp_path, precision="bf16")
