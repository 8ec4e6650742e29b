"""Run a function over many items in worker processes: in order, with bounded memory, surviving a worker's death."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Self, TypeVar

from joblib.externals.loky import ProcessPoolExecutor, cpu_count
from joblib.externals.loky.process_executor import BrokenProcessPool

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Tasks waiting for or being computed by each worker: one in work and two waiting keeps a worker busy.
TASKS_PER_WORKER = 3

#: How soon a worker notices that its parent was killed.
SECONDS_BETWEEN_LOOKS = 1.0

#: One thread a worker; threads that wait sleep instead of spinning, which takes the core from other work.
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}


def default_jobs() -> int:
    """Number of cores that this process may use (affinity and container limits respected)."""
    return cpu_count()


def resolve_jobs(jobs: int | None) -> int:
    """``jobs`` as a positive number; None or a negative number counts from the number of cores as joblib does.

    Raises
    ------
    ValueError
        If ``jobs`` is 0.
    """
    if jobs is None:
        return default_jobs()
    if jobs == 0:
        raise ValueError("jobs must be at least 1, or negative to count from the number of cores; got 0.")
    return jobs if jobs > 0 else max(1, default_jobs() + 1 + jobs)


class OrderedPool:
    """Apply ``work`` to items in worker processes and yield the results in the order of the items.

    At most ``TASKS_PER_WORKER`` items a worker are under way, so memory does not depend on the number of items. When
    a worker process dies (a crash in compiled code, or the system's memory killer), the pool is made anew and the
    items under way are tried again one at a time; the item that kills its worker again is handed to ``on_death``.

    Parameters
    ----------
    work : callable
        Picklable function of one item.
    on_death : callable
        Called in this process with the item whose worker died; returns the result to yield for it.
    jobs : int
        Number of worker processes; with 1 everything runs in this process and a crash is not survived.
    """

    def __init__(self, work: Callable[[Item], Result], on_death: Callable[[Item], Result], jobs: int) -> None:
        self._work = work
        self._on_death = on_death
        self._jobs = jobs
        self._executor: ProcessPoolExecutor | None = None
        self._pending: deque[tuple[Item, Future]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def begin(self, prepare: Callable[[], None]) -> None:
        """Start the workers and let them call ``prepare`` while this process goes on; with one job, do nothing.

        What fails in ``prepare`` is not reported here: it fails again in the work.
        """
        if self._jobs > 1:
            for _ in range(self._jobs):
                self._executor_now().submit(prepare)

    def map(self, items: Iterable[Item]) -> Iterator[Result]:
        """Results of ``work`` in the order of ``items``."""
        if self._jobs == 1:
            yield from map(self._work, items)
            return
        for item in items:
            self._pending.append((item, self._submit(item)))
            if len(self._pending) >= TASKS_PER_WORKER * self._jobs:
                yield self._oldest()
        while self._pending:
            yield self._oldest()

    def _executor_now(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                max_workers=self._jobs, env=WORKER_ENVIRONMENT, initializer=_end_with_parent, initargs=(os.getpid(),)
            )
        return self._executor

    def _submit(self, item: Item) -> Future:
        try:
            return self._executor_now().submit(self._work, item)
        except BrokenProcessPool as error:
            broken: Future = Future()
            broken.set_exception(error)
            return broken

    def _oldest(self) -> Result:
        item, future = self._pending.popleft()
        try:
            return future.result()
        except BrokenProcessPool:
            return self._recover(item)

    def _recover(self, item: Item) -> Result:
        """Start a new pool, try ``item`` alone in it, then submit again what was under way."""
        self._stop()
        try:
            result = self._submit(item).result()
        except BrokenProcessPool:
            self._stop()
            result = self._on_death(item)
        self._pending = deque((other, self._again(other, future)) for other, future in self._pending)
        return result

    def _again(self, item: Item, future: Future) -> Future:
        is_finished = future.done() and not future.cancelled() and future.exception() is None
        return future if is_finished else self._submit(item)

    def _stop(self) -> None:
        """End the workers: what they are computing is finished, what waits is not begun.

        loky's ``kill_workers=True`` is not used: its manager thread fails with a KeyError when work still waits.
        """
        if self._executor is not None:
            for _, future in self._pending:
                future.cancel()
            self._executor.shutdown(wait=True)
            self._executor = None


def _end_with_parent(parent_pid: int) -> None:
    """End this worker when its parent was killed; loky's workers would wait for work, and keep their memory, for ever."""
    threading.Thread(target=_watch_parent, args=(parent_pid,), daemon=True).start()


def _watch_parent(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)


def set_passive_wait() -> None:
    """Let idle OpenMP threads of this process sleep; effective only before torch is imported."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
