"""Mistakes of the training programs that this project grew from, and the tests that would see them come back.

==========================================================  ==========================================================
mistake                                                     guarded by
==========================================================  ==========================================================
the term of fakes switched off, or λ without effect         losses/test_triplet.py, tasks/test_cosine_head.py
the triplet loss alone cannot run                           tasks/test_triplet.py
weights of the cosine head not given to the optimiser;      tasks/test_cosine_head.py
folder numbers as classes
trained on distances of vectors of any length, scored by    tasks/test_triplet.py
cosines
learning rate stepped in batches but meant in epochs        test_loop.py
augmentation in validation; validation drawn at random      here; test_loop.py
validation rows trained on; the test part seen              here; test_training_set.py
split drawn anew when a training is resumed                 here
best epoch by accuracy where the score is another           tasks/test_cohorts.py, test_recipe_commands.py
classes of another order than their names                   here
sampler and class weights together                          here; test_tasks.py
an epoch that sees a part of the rows                       here; test_samplers.py
cut-outs at fixed pixels, and none at a border              test_augment.py
brightness on the wrong scale                               test_augment.py
augmentation that erases what is looked for, unsaid         test_recipe_commands.py
random numbers without a seed                               test_distorting.py, test_augment.py, test_samplers.py
names of compiled networks in checkpoints                   here
another geometry or scale in use than in training           test_finetune.py
softmax over persons as answers about others                test_tasks.py (scored by the EER of unseen persons)
ages scaled by one number, and back by another              test_tasks.py (ages are in years)
==========================================================  ==========================================================
"""

import numpy as np
import pytest
import torch

from finetune.augment import Augmentation
from finetune.execution import Execution
from finetune.loop import Trainer
from finetune.recipes import RECIPES, Recipe, recipe
from finetune.session import check_folder, examples_of, make_model
from finetune.tasks import make_task
from finetune.training_set import SplitOptions, make_training_set
from tests.finetune.crops import write_crops

SMALL = {"backbone": "resnet18", "batch_size": 5, "n_persons": 3, "n_photos": 3}
STRONG = Augmentation(flip=1.0, colour=0.5, gray=0.5, blur=1.0, erase=1.0, cutout=1.0, distort=1.0)


@pytest.fixture(scope="module")
def extraction(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mistakes") / "crops"
    table, labels = write_crops(folder, n_people=14)
    return folder, table, labels


def training_set(extraction, chosen: Recipe, split_seed=0):
    folder, table, labels = extraction
    return make_training_set(folder, table, labels, chosen.columns, SplitOptions(validation_size=0.4, seed=split_seed))


def chosen_of(name, **settings):
    return recipe(name, **SMALL, **({"target": "fake"} if name == "criterion" else {}), **settings)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_only_the_training_part_is_trained_on_and_an_epoch_sees_all_of_it(extraction, name):
    chosen = chosen_of(name)
    training = training_set(extraction, chosen)
    batches_of = examples_of(training, chosen).batches_of
    seen = np.unique(np.concatenate([batches_of(epoch).ravel() for epoch in range(6)]))
    assert seen.tolist() == np.flatnonzero(~training.is_validation).tolist()
    if not chosen.needs_persons:
        n_train = int((~training.is_validation).sum())
        assert len(set(batches_of(0).ravel())) == n_train - n_train % 5


def test_validation_sees_crops_as_they_are(extraction, tmp_path):
    chosen = chosen_of("gender", augmentation=STRONG)
    training = training_set(extraction, chosen)
    examples = examples_of(training, chosen)
    trainer = Trainer(make_model(training, chosen), examples, chosen, tmp_path)
    plain = torch.from_numpy(training.crops.pixels[training.crop_row[examples.validation]]).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = trainer.model.network.eval()(plain, ("final",))
    assert torch.equal(trainer.evaluator.embed(trainer.model, examples.validation), expected)
    changed = STRONG(plain, torch.Generator(), examples.face)
    assert not torch.allclose(trainer.model.network(changed, ("final",)), expected)


def test_a_training_is_not_resumed_with_another_split(extraction, tmp_path):
    chosen = chosen_of("gender")
    check_folder(tmp_path / "run", chosen, training_set(extraction, chosen), is_resumed=False)
    (tmp_path / "run/checkpoint.pt").touch()
    check_folder(tmp_path / "run", chosen, training_set(extraction, chosen), is_resumed=True)
    with pytest.raises(ValueError, match="other settings: data differ"):
        check_folder(tmp_path / "run", chosen, training_set(extraction, chosen, split_seed=1), is_resumed=True)


class Compiled(torch.nn.Module):
    """Wraps a network as ``torch.compile`` does, which changes the names of its parameters."""

    def __init__(self, network):
        super().__init__()
        self._orig_mod = network


def test_compiled_networks_are_stored_under_the_names_of_others(extraction, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "compile", Compiled)
    chosen = chosen_of("gender")
    training = training_set(extraction, chosen)
    states = []
    for is_compiled in (False, True):
        execution = Execution(is_compiled=is_compiled)
        trainer = Trainer(
            make_model(training, chosen), examples_of(training, chosen), chosen, tmp_path, execution=execution
        )
        states.append(list(trainer.model.state_dict()))
    assert states[0] == states[1]


def test_classes_are_numbered_by_their_names_whatever_comes_first(extraction):
    labels = extraction[2]
    for some in (labels, labels[::-1]):
        task = make_task(chosen_of("gender"), some, np.zeros(len(some), bool), 4)
        assert task.classes.tolist() == [int(value == "male") for value in some["gender"]]


def test_the_sampler_balances_and_the_weights_do_but_never_both(extraction):
    labels = extraction[2]
    everyone = np.zeros(len(labels), bool)
    by_balance = {
        name: make_task(chosen_of("gender", balance=name), labels, everyone, 4) for name in ("sampler", "weights")
    }
    assert by_balance["sampler"].weights is None
    assert by_balance["weights"].weights is not None
