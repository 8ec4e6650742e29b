"""Two processes that train one network, connected through gloo, against one that does it alone."""

import os
import shutil
import socket
import warnings
from contextlib import closing

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from torch import nn

from finetune.batch_norm import SynchronisedBatchNorm, synchronise
from finetune.examples import Examples
from finetune.execution import Execution
from finetune.history import EPOCHS, STEPS
from finetune.loop import Trainer
from finetune.model import Model
from finetune.observer import Observer
from finetune.processes import Processes, joined_processes
from finetune.recipes import Recipe
from finetune.samplers import shuffled_batches
from finetune.tasks import ClassTask, MarginTask, QuadrupletTask

#: Largest difference of a weight, a loss or a figure after all steps, relative and absolute: rounding of float32 sums.
TOLERANCE = 2e-5
N_ROWS, N_TRAIN, BATCH = 28, 21, 7  # a batch that two processes cannot halve
#: Forked processes need not import torch again; with a GPU they cannot be used.
START = "spawn" if torch.cuda.is_available() else "fork"
TASKS = ("gender", "arcface", "quadruplet")


class TinyNetwork(nn.Module):
    """Two normalised convolutions, and a layer that nothing comes out of: four numbers a crop."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 4, 3), nn.BatchNorm2d(4), nn.ReLU()
        )
        self.unused = nn.Linear(4, 4)

    def forward(self, crops, layers):
        return self.body(crops.float() / 255).mean((2, 3))


def task_of(name, person):
    if name == "gender":  # with weights, of which the mean over shares is not the mean over the batch
        return ClassTask("gender", person % 2, 2, 4, smoothing=0.05, weights=torch.tensor([0.5, 3.0]))
    if name == "arcface":
        return MarginTask(person, 4, 4, "arcface", 8.0, 0.2)
    return QuadrupletTask(person, torch.arange(N_ROWS) % 3 == 0, 0.3, 1.0)


def trainer_in(folder, name, processes, *observers):
    random = np.random.default_rng(0)
    person = torch.from_numpy(random.integers(0, 4, N_ROWS))
    pixels = random.integers(0, 256, (N_ROWS, 9, 9, 3), np.uint8)
    recipe = Recipe(name, "resnet18", epochs=2, lr=0.01, optimiser="sgd", checkpoint_every=2)
    torch.manual_seed(0)
    examples = Examples(
        pixels,
        np.arange(N_ROWS),
        np.arange(N_TRAIN, N_ROWS),
        lambda epoch: shuffled_batches(N_TRAIN, BATCH, 3, epoch),
    )
    model = Model(TinyNetwork(), ("body",), task_of(name, person))
    return Trainer(model, examples, recipe, folder, Execution(processes=processes), observers)


class Copier(Observer):
    """Keeps the folder as a kill behind a step would leave it."""

    def __init__(self, folder, target, step):
        self.folder, self.target, self.step = folder, target, step

    def step_done(self, progress):
        if progress.step == self.step:
            shutil.copytree(self.folder, self.target)


def train_as(rank, port, folder):
    """What each of the two processes does: every task, and one training that goes on from a checkpoint."""
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    with joined_processes("cpu") as processes:
        own = folder / ("main" if processes.is_main else "other")
        for name in TASKS:
            trainer = trainer_in(own / name, name, processes, Copier(own / name, folder / f"killed_{name}", 5))
            trainer.run()
            torch.save(trainer.model.state_dict(), folder / f"{name}_{rank}.pt")
        resumed = trainer_in(folder / "killed_gender", "gender", processes)
        resumed.resume()
        resumed.run()
        with processes.main_first():
            (folder / f"was_first_{rank}").write_text(str((folder / "was_first_0").is_file()))
        with processes.main_first():
            if processes.is_main:
                raise KeyError("a mistake of the main process")
            (folder / "should not be").touch()


def run_as(rank, port, folder):
    try:
        train_as(rank, port, folder)
    except (KeyError, SystemExit) as error:
        (folder / f"ended_{rank}").write_text(type(error).__name__)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The trainers of one process, after training."""
    trainers = {name: trainer_in(tmp_path_factory.mktemp(name), name, Processes()) for name in TASKS}
    for trainer in trainers.values():
        trainer.run()
    return trainers


@pytest.fixture(scope="module")
def folder(tmp_path_factory, alone):
    folder = tmp_path_factory.mktemp("processes")
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads; torch runs in one thread below
        both = mp.start_processes(run_as, (port, folder), nprocs=2, join=False, start_method=START)
    assert any(both.join(timeout=60) for _ in range(2)), "the two processes wait for each other"
    return folder


def numbers(path):
    return np.loadtxt(path, delimiter=",", skiprows=1)


@pytest.mark.parametrize("name", TASKS)
def test_two_processes_learn_what_one_learns(folder, alone, name):
    for rank in (0, 1):
        weights = torch.load(folder / f"{name}_{rank}.pt", weights_only=True)
        for key, tensor in alone[name].model.state_dict().items():
            torch.testing.assert_close(weights[key], tensor, atol=TOLERANCE, rtol=TOLERANCE, msg=f"{key} of {rank}")
    for file in (STEPS, EPOCHS):
        one, two = numbers(alone[name].folder / file), numbers(folder / "main" / name / file)
        np.testing.assert_allclose(two, one, atol=TOLERANCE, rtol=TOLERANCE)


def test_only_the_main_process_writes(folder):
    assert sorted(path.name for path in (folder / "main" / "gender").iterdir()) == [
        "best.pt",
        "checkpoint.pt",
        "epochs.csv",
        "steps.csv",
    ]
    assert not (folder / "other").exists()


def test_two_processes_go_on_from_a_checkpoint_as_if_nothing_had_been(folder):
    for file in (STEPS, EPOCHS):
        assert (folder / "killed_gender" / file).read_text() == (folder / "main" / "gender" / file).read_text()
    one, other = (torch.load(folder / name / "checkpoint.pt") for name in ("killed_gender", "main/gender"))
    assert all(torch.equal(one["model"][key], tensor) for key, tensor in other["model"].items())


def test_the_main_process_goes_first_and_the_other_ends_with_it(folder):
    assert (folder / "was_first_1").read_text() == "True"
    assert (folder / "ended_0").read_text() == "KeyError"
    assert (folder / "ended_1").read_text() == "SystemExit"
    assert not (folder / "should not be").exists()


def test_a_share_has_no_row_twice_and_forgets_none():
    for n_rows, count in ((7, 2), (8, 4), (5, 5)):
        shares = [Processes(rank, count).share(n_rows) for rank in range(count)]
        assert [row for share in shares for row in range(n_rows)[share.rows]] == list(range(n_rows))
    with pytest.raises(ValueError, match="each of 3 processes needs a crop of every batch; got a batch of 2"):
        Processes(0, 3).share(2)


def test_a_normalisation_keeps_its_weights_and_what_stands_behind_it():
    class WithActivation(nn.BatchNorm2d):
        def __init__(self):
            super().__init__(3)
            self.drop, self.act = nn.Identity(), nn.ReLU()

    module = nn.Sequential(WithActivation(), nn.Sequential(nn.BatchNorm1d(3)))
    names = list(module.state_dict())
    weight = module[0].weight
    synchronise(module)
    assert list(module.state_dict()) == names and module[0].weight is weight
    assert isinstance(module[1][0], SynchronisedBatchNorm)
    assert (module[0].eval()(torch.randn(2, 3, 4, 4)) >= 0).all()


def test_an_unknown_normalisation_is_refused():
    class Strange(nn.BatchNorm2d):
        pass

    with pytest.raises(ValueError, match="Strange cannot be computed over several processes"):
        synchronise(nn.Sequential(Strange(3)))
