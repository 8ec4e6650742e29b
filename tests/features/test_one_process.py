"""An extraction in one process: detection runs ahead of the embedding, by one task and no further."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from faceheads.spec import EmbedderSpec
from features import one_process
from features.extract_worker import Task
from features.one_process import OneProcess
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig
from tests.features.photos import write_photos

SPEC = EmbedderSpec("mean", "0" * 64, 3, "none", {"kind": "box_square", "size": 8, "margin": 0.0})
NAMES = [f"{i:03d}.png" for i in range(6)]


@pytest.fixture
def tasks(tmp_path):
    write_photos(tmp_path, len(NAMES))
    return [Task([name], "cpu") for name in NAMES]


@pytest.fixture
def pool(tmp_path, monkeypatch):
    """A pool whose embedder is the test's: called with the crops of each task."""
    embedder = SimpleNamespace(spec=SPEC, embed=lambda crops: crops.mean(axis=(1, 2), dtype=np.float32))
    monkeypatch.setattr(FacePipeline, "embedder", embedder)
    made = OneProcess(tmp_path, PipelineConfig(detector="none"), None)
    made.embedder = embedder
    return made


def count_looks(monkeypatch, on_look):
    look_at = FacePipeline.look_at

    def counted(self, root, paths):
        on_look()
        return look_at(self, root, paths)

    monkeypatch.setattr(FacePipeline, "look_at", counted)


def test_results_come_in_order_with_the_times_of_both_stages(pool, tasks):
    results = list(pool.map(tasks))
    assert [row.path for result in results for row in result.rows] == NAMES
    assert all(row.status == "ok" for result in results for row in result.rows)
    assert set(results[0].times.items) == {"decode", "detect", "align", "embed", "quality"}


def test_the_next_task_is_looked_at_while_one_is_embedded(pool, tasks, monkeypatch):
    n_looks = 0
    second_look = threading.Event()

    def on_look():
        nonlocal n_looks
        n_looks += 1
        if n_looks == 2:
            second_look.set()

    def embed(crops):
        assert second_look.wait(timeout=20)
        return np.zeros((len(crops), 3), np.float32)

    pool.embedder.embed = embed
    count_looks(monkeypatch, on_look)
    next(pool.map(tasks))


def test_no_more_tasks_are_taken_than_can_wait(pool, tasks):
    taken = []
    results = pool.map(task for task in tasks if not taken.append(task))
    next(results)
    assert len(taken) == 1 + one_process.TASKS_AHEAD
    results.close()


def test_a_mistake_while_looking_is_raised_and_the_thread_ends(pool, tasks, monkeypatch):
    def broken():
        raise TypeError("a bug")

    count_looks(monkeypatch, broken)
    n_threads = threading.active_count()
    with pytest.raises(TypeError, match="a bug"):
        list(pool.map(tasks))
    assert threading.active_count() == n_threads
