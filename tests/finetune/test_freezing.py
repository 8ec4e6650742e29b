"""What learns when, worked out by hand, and that a frozen stage stays as it was."""

import numpy as np
import pytest
import torch

from finetune.backbones import build_backbone
from finetune.examples import Examples
from finetune.freezing import Freezing
from finetune.loop import Trainer
from finetune.model import Model
from finetune.recipes import Recipe
from finetune.rehearsal import rehearse
from finetune.samplers import shuffled_batches
from finetune.tasks import ClassTask

NETWORK = "timm:test_resnet"  # a stem and four stages


def network():
    torch.manual_seed(0)
    return build_backbone(NETWORK)


def recipe(**settings):
    return Recipe("gender", NETWORK, **settings)


@pytest.mark.parametrize(
    ("settings", "n_learning"),
    [
        ({}, [1, 1, 1]),  # all alike: the whole network is one stage
        ({"backbone_lr": 0.0}, [0, 0, 0]),
        ({"freeze": 2}, [3, 3, 3]),
        ({"unfreeze": 1}, [0, 1, 2, 3, 4, 5, 5]),
        ({"unfreeze": 2}, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
        ({"unfreeze": 1, "freeze": 3}, [0, 1, 2, 2, 2]),
    ],
)
def test_how_many_stages_learn_in_each_epoch(settings, n_learning):
    freezing = Freezing(network(), recipe(**settings))
    assert [freezing.n_learning(epoch) for epoch in range(len(n_learning))] == n_learning


def test_without_heads_the_last_stage_learns_from_the_start():
    freezing = Freezing(network(), recipe(unfreeze=1), n_at_first=1)
    assert [freezing.n_learning(epoch) for epoch in range(6)] == [1, 2, 3, 4, 5, 5]


def test_a_frozen_stage_has_no_gradients_and_keeps_its_averages():
    net = network()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    freezing = Freezing(net, recipe(unfreeze=1))
    freezing.prepare(epoch=2)
    crops = torch.randint(0, 256, (4, 3, 32, 32), generator=torch.Generator().manual_seed(0)).float()
    net(crops).sum().backward()
    last_two = ("network.layer3.", "network.layer4.")
    for name, parameter in net.named_parameters():
        assert (parameter.grad is not None) == name.startswith(last_two), name
    for name, tensor in net.state_dict().items():
        has_moved = not torch.equal(tensor, before[name])
        assert has_moved == (name.startswith(last_two) and ("running" in name or "num_batches" in name)), name


def test_a_stage_that_is_unfrozen_learns_and_moves_its_averages():
    net = network()
    freezing = Freezing(net, recipe(unfreeze=1))
    freezing.prepare(epoch=0)
    assert not net.training and not any(parameter.requires_grad for parameter in net.parameters())
    freezing.prepare(epoch=5)
    assert all(module.training for module in net.modules())
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_no_stage_left_is_refused():
    with pytest.raises(ValueError, match="--freeze must be below 5, the stages of timm:test_resnet; got 5"):
        Freezing(network(), recipe(freeze=5))


class Killed(Exception):
    """Stands for a process that ends here."""


def trainer_in(folder, kill_after=None):
    chosen = recipe(unfreeze=1, layer_decay=0.5, epochs=3, batch_size=8, checkpoint_every=1, ema=0.5, lr=0.01)
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 2, 20)
    pixels = np.clip(rng.normal(90 + 60 * classes[:, None, None, None], 40, (20, 32, 32, 3)), 0, 255).astype(np.uint8)
    examples = Examples(
        pixels, np.arange(20), np.arange(16, 20), lambda epoch: shuffled_batches(16, chosen.batch_size, 3, epoch)
    )
    net = network()
    task = ClassTask("gender", torch.from_numpy(classes), 2, net.dimension)
    trainer = Trainer(Model(net, ("final",), task), examples, chosen, folder)
    if kill_after is not None:
        save = trainer.save
        trainer.save = lambda: save() if trainer.progress.step < kill_after else _kill(save)
    return trainer


def _kill(save):
    save()
    raise Killed


def test_a_training_that_is_killed_and_resumed_while_stages_are_unfrozen_is_the_same_to_the_last_bit(tmp_path):
    whole = trainer_in(tmp_path / "whole")
    whole.run()
    with pytest.raises(Killed):
        trainer_in(tmp_path / "killed", kill_after=3).run()
    resumed = trainer_in(tmp_path / "killed")
    resumed.resume()
    assert resumed.progress.step == 3
    resumed.run()
    for one, other in ((whole.model, resumed.model), (whole.average.module, resumed.average.module)):
        assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values()))
    start = network().state_dict()
    moved = {
        name.split(".")[1]
        for name, now in whole.model.network.state_dict().items()
        if not torch.equal(now, start[name])
    }
    assert moved == {"layer3", "layer4"}  # unfrozen in the second and the third epoch


def test_a_dry_run_measures_steps_in_which_all_stages_learn_that_ever_do(tmp_path):
    trainer = trainer_in(tmp_path)
    rehearse(trainer)
    learning = {
        name.split(".")[1] for name, parameter in trainer.model.network.named_parameters() if parameter.requires_grad
    }
    assert learning == {"layer3", "layer4"}
