import time

import pytest

from finetune import rehearsal
from finetune.rehearsal import Rehearsal, rehearse
from tests.finetune.test_loop import trainer_in


def test_all_that_a_training_does_is_in_its_time():
    found = Rehearsal(10.0, 2.0, 3.0, 5.0, n_steps=100, n_validations=5, peak_bytes=0)
    assert found.total_s == 5 + 10 + 99 * 2 + 5 * 3


def test_a_rehearsal_counts_steps_validations_and_what_comes_before_and_writes_nothing(tmp_path, monkeypatch):
    trainer = trainer_in(tmp_path, epochs=7)
    trainer.model.task.begin = lambda embed: [embed(trainer.examples.validation) for _ in range(3)]
    ticks = iter(range(1000))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(ticks)))
    found = rehearse(trainer)
    assert (found.n_steps, found.n_validations) == (7 * trainer.steps_per_epoch, 8)
    assert found.start_s == pytest.approx(3.0)  # three times the validation part, which took one tick
    assert found.validation_s == pytest.approx(2.0)  # a tick to embed it and one to measure it
    assert found.first_step_s >= 1 and found.peak_bytes > 2**20
    assert not list(tmp_path.iterdir())


def test_a_large_validation_part_is_not_embedded_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(rehearsal, "N_EMBEDDED", 2)
    trainer = trainer_in(tmp_path)
    seen = []
    embed = trainer.evaluator.embed
    trainer.evaluator.embed = lambda model, rows: (seen.append(len(rows)), embed(model, rows))[1]
    rehearse(trainer)
    assert max(seen) == 2
