"""The pool keeps order and memory bounds, and outlives its workers."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

import faceheads.pool as pool_module
from faceheads.pool import TASKS_PER_WORKER, OrderedPool, resolve_jobs


def square(x):
    time.sleep(0.01 * (x % 3))
    return x * x


def die_at_seven(x):
    if x == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return x * x


def refuse_three(x):
    if x == 3:
        raise KeyError("three")
    return x


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_items(jobs):
    with OrderedPool(square, None, jobs) as pool:
        assert list(pool.map(range(20))) == [x * x for x in range(20)]


def test_items_are_taken_no_faster_than_results_are_used():
    taken = []

    def items():
        for x in range(100):
            taken.append(x)
            yield x

    with OrderedPool(square, None, 2) as pool:
        results = pool.map(items())
        next(results)
        time.sleep(0.3)
        assert len(taken) <= 2 * TASKS_PER_WORKER


def test_an_item_that_kills_its_worker_is_handed_over_and_the_others_are_computed():
    with OrderedPool(die_at_seven, lambda x: ("dead", x), 2) as pool:
        results = list(pool.map(range(12)))
    assert results == [x * x if x != 7 else ("dead", 7) for x in range(12)]


def leave_a_file(folder):
    (folder / str(os.getpid())).touch()
    raise OSError("not reported")


def pid_of_worker(_):
    time.sleep(0.05)
    return os.getpid()


def test_workers_that_begin_early_prepare_themselves_and_do_the_work(tmp_path):
    with OrderedPool(pid_of_worker, None, 2) as pool:
        pool.begin(partial(leave_a_file, tmp_path))
        workers = set(pool.map(range(6)))
    assert {int(file.name) for file in tmp_path.iterdir()} <= workers
    assert list(tmp_path.iterdir())


def test_one_job_has_nothing_to_begin(tmp_path):
    with OrderedPool(square, None, 1) as pool:
        pool.begin(partial(leave_a_file, tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_mistake_in_the_work_is_raised_here():
    with OrderedPool(refuse_three, None, 2) as pool, pytest.raises(KeyError, match="three"):
        list(pool.map(range(10)))


def test_ending_early_leaves_waiting_work_undone_and_no_worker_behind(monkeypatch):
    monkeypatch.setattr(pool_module, "TASKS_PER_WORKER", 30)
    with OrderedPool(square, None, 2) as pool:
        results = pool.map(range(100))
        assert next(results) == 0
        waiting = [future for _, future in pool._pending]
        workers = list(pool._executor._processes.values())
        assert all(worker.is_alive() for worker in workers)
    assert sum(future.cancelled() for future in waiting) > 20
    assert len(workers) == 2 and not any(worker.is_alive() for worker in workers)


def report_pid_and_wait(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(0.1)


def run_pool_until_killed(folder):
    with OrderedPool(report_pid_and_wait, None, 2) as pool:
        list(pool.map([folder] * 10_000))


@pytest.mark.skipif(sys.platform == "win32", reason="a process of Windows keeps the number of its parent")
def test_workers_end_when_their_parent_is_killed(tmp_path):
    code = f"from tests.faceheads.test_pool import run_pool_until_killed; run_pool_until_killed({str(tmp_path)!r})"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    try:
        assert wait_for(lambda: len(list(tmp_path.iterdir())) == 2)
    finally:
        parent.kill()
        parent.wait()
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert wait_for(lambda: not any(is_running(pid) for pid in workers))


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_jobs_count_from_the_cores_when_negative_and_zero_is_refused():
    assert resolve_jobs(3) == 3
    assert resolve_jobs(None) == resolve_jobs(-1) >= 1
    assert resolve_jobs(-10_000) == 1
    with pytest.raises(ValueError, match="at least 1.*got 0"):
        resolve_jobs(0)
