"""An extraction without worker processes: a thread looks for faces while the ones before are embedded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Self

from faceheads.pool import default_jobs

from .extract_worker import Task, TaskResult, use_torch_threads
from .pipeline import FacePipeline
from .pipeline_config import PipelineConfig
from .seen_image import SeenImage
from .stage_times import StageTimes

#: Tasks whose faces are looked for before those of an earlier one are embedded.
TASKS_AHEAD = 1
#: Detectors that keep a core busy without torch, which then gets the others.
DETECTORS_WITHOUT_TORCH = ("hog",)


class OneProcess:
    """Does tasks in their order in this process; used as :class:`~faceheads.pool.OrderedPool` is.

    A crash in compiled code ends the process, which worker processes would survive.

    Parameters
    ----------
    root : Path
        The data folder.
    config : PipelineConfig
    crop_folder : Path, optional
        Where to write the aligned crops.
    """

    def __init__(self, root: Path, config: PipelineConfig, crop_folder: Path | None) -> None:
        self._root = root
        self._config = config
        self._crop_folder = crop_folder
        self._pipelines: dict[str, _TwoStages] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to stop: the thread ends with :meth:`map`."""

    def begin(self, prepare: Callable[[], None]) -> None:
        """There are no workers that could prepare anything."""

    def map(self, tasks: Iterable[Task]) -> Iterator[TaskResult]:
        """Results of the tasks in their order."""
        if self._config.detector in DETECTORS_WITHOUT_TORCH:
            use_torch_threads(max(1, default_jobs() - 1))
        waiting: deque[tuple[Task, Future]] = deque()
        thread = ThreadPoolExecutor(max_workers=1)
        try:
            for task in tasks:
                waiting.append((task, thread.submit(self._stages(task).look_at, self._root, task)))
                if len(waiting) > TASKS_AHEAD:
                    yield self._finished(*waiting.popleft())
            while waiting:
                yield self._finished(*waiting.popleft())
        finally:
            thread.shutdown(cancel_futures=True)

    def _stages(self, task: Task) -> _TwoStages:
        if task.device not in self._pipelines:
            self._pipelines[task.device] = _TwoStages(replace(self._config, device=task.device))
        return self._pipelines[task.device]

    def _finished(self, task: Task, seen: Future) -> TaskResult:
        return self._stages(task).finish(*seen.result(), self._crop_folder)


class _TwoStages:
    """Two pipelines with the same embedder: one for the thread that finds faces, one for the thread that embeds them."""

    def __init__(self, config: PipelineConfig) -> None:
        self._embedding = FacePipeline(config)
        self._finding = FacePipeline(config, self._embedding.embedder)

    def look_at(self, root: Path, task: Task) -> tuple[list[SeenImage], StageTimes]:
        """The faces of a task's images, and what finding them took."""
        self._finding.times = StageTimes()
        return list(self._finding.look_at(root, task.paths)), self._finding.times

    def finish(self, seen: list[SeenImage], times: StageTimes, crop_folder: Path | None) -> TaskResult:
        """Their rows, and what both stages took."""
        self._embedding.times = StageTimes()
        rows = self._embedding.rows_from(seen, crop_folder)
        times.add(self._embedding.times)
        return TaskResult(rows, times)
