"""Damaged and hostile head files: each is refused with one sentence, and nothing is executed.

Bombs are in test_archive.py; benchmarks/hostile_heads.py measures memory and the command too.
"""

import warnings

import pytest

from benchmarks.hostile_files import hostile_files
from faceheads.headfile import HeadError
from faceheads.store import load_heads, save_heads
from faceheads.training import train_heads
from faceheads.training_options import TrainingOptions
from tests.faceheads.people import people_table

_OPTIONS = TrainingOptions(targets=("gender", "age"), head="logistic", n_resamples=20)


def test_every_hostile_file_is_refused_with_one_sentence(tmp_path):
    path, canary = tmp_path / "heads.skops", tmp_path / "canary"
    save_heads(path, train_heads(*people_table(), _OPTIONS).file)
    n_files = 0
    for file in hostile_files(path.read_bytes(), canary):
        hostile = tmp_path / f"hostile{file.suffix}"
        hostile.write_bytes(file.data)
        with pytest.raises(HeadError) as caught, warnings.catch_warnings():
            warnings.simplefilter("error")
            load_heads(hostile)
        message = str(caught.value)
        assert len(message) < 500, (file.kind, file.what)
        assert "\n" not in message, (file.kind, file.what)
        assert not canary.exists(), (file.kind, file.what)
        n_files += 1
    assert n_files >= 100
