"""A folder of photos becomes a feature table, shard by shard, and takes up where it was stopped.

While a table is being made its shards lie in ``NAME.parts/``; each appears under its name only when it is complete, so
a killed run loses at most the shard in work. What was computed is found again by the content of the image (sha256),
whatever its name, date or place.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from math import ceil
from pathlib import Path

from faceheads.pool import OrderedPool
from faceheads.spec import TableSpec, difference
from faceheads.table import FaceRow, Status, TableError
from faceheads.table_io import read_spec

from .earlier import EarlierRows, table_pieces
from .extract_worker import Task, TaskResult, hash_file, hash_files, prepare, process
from .extraction_summary import ExtractionSummary
from .one_process import OneProcess
from .pipeline import FacePipeline
from .pipeline_config import PipelineConfig
from .shards import Shard, ShardFolder
from .stage_times import StageTimes

#: Images of a shard: what a killed run computes again at most.
SHARD_SIZE = 512
#: Images of a task of a worker: enough faces for the network to run in batches.
TASK_SIZE = 32
#: Files of a task that only computes their sha256.
HASH_TASK_SIZE = 256

#: Called with the number of images that were just done and the times so far.
Progress = Callable[[int, StageTimes], None]


def _no_progress(n_images: int, times: StageTimes) -> None:
    """Nobody watches."""


@dataclass
class Extraction:
    """One run from a folder of photos to a feature table.

    Parameters
    ----------
    root : Path
        The data folder.
    images : sequence of str
        Paths of the images relative to ``root``; each becomes at least one row, in this order.
    config : PipelineConfig
    output : Path
        ``NAME.parquet``, ``NAME.csv`` or a folder.
    jobs : int, default=1
        Worker processes; 1 works in this process.
    overwrite : bool, default=False
        Forget what an earlier run made, whatever its specification.
    retry_failed : bool, default=False
        Process images again that were unreadable or failed in an earlier run.
    crop_folder : Path, optional
        Where to write the aligned crops.
    shard_size : int, default=512
        Images of a shard, which is what a killed run computes again at most.
    devices : sequence of str, default=("cpu",)
        Devices for the networks; tasks go to them in turn.
    """

    root: Path
    images: Sequence[str]
    config: PipelineConfig
    output: Path
    jobs: int = 1
    overwrite: bool = False
    retry_failed: bool = False
    crop_folder: Path | None = None
    shard_size: int = SHARD_SIZE
    devices: Sequence[str] = ("cpu",)

    def run(
        self, on_progress: Progress = _no_progress, preparing: Callable[[], AbstractContextManager] = nullcontext
    ) -> ExtractionSummary:
        """Make the table; calls ``on_progress(n_images, times)`` as images are done.

        ``preparing()`` surrounds what may take long before the first image: compiling the detector.

        Raises
        ------
        TableError
            If the output exists and was made with other settings, cannot be read, or is a folder of other things.
        ValueError
            If there are no images, an image is named twice, or embedder and detector do not fit.
        """
        start = time.perf_counter()
        self._check()
        pipeline = FacePipeline(self.config)
        earlier = self._earlier(pipeline.table_spec)
        summary = ExtractionSummary(n_images=len(self.images))
        shards = list(self._shards.plan(self._named_by_content(earlier), self.shard_size, earlier))
        with self._pool(sum(len(shard.missing) for shard in shards)) as pool:
            if shards:
                pool.begin(partial(prepare, replace(self.config, device=self.devices[0])))
                self._shards.make()
                with preparing():
                    pipeline.warm_up()
            for shard, computed in self._computed(shards, pool, summary, on_progress):
                self._shards.write(shard, computed, earlier, pipeline.table_spec)
        if shards:
            self._shards.join(len(shards))
        summary.n_reused = summary.n_images - summary.n_computed
        summary.count_rows(table_pieces(self.output))
        summary.wall_s = time.perf_counter() - start
        return summary

    @property
    def _shards(self) -> ShardFolder:
        return ShardFolder(self.output)

    def _check(self) -> None:
        if self.output.suffix not in (".parquet", ".csv", ""):
            raise ValueError(
                f"The feature table must end in .parquet or .csv or be a folder; got {self.output.name!r}."
            )
        if not self.images:
            raise ValueError(f"There are no images in {self.root}.")
        twice = [path for path, n in Counter(self.images).items() if n > 1]
        if twice:
            raise ValueError(f"Each image may be named once; these occur several times: {twice[:3]}.")

    def _earlier(self, spec: TableSpec) -> EarlierRows:
        self._shards.check_output()
        if self.overwrite:
            self._shards.remove()
            return EarlierRows([], False)
        tables = self._shards.earlier_tables()
        for table in tables:
            _refuse_other_spec(table, spec)
        return EarlierRows(self._shards.set_aside(tables), self.retry_failed)

    def _named_by_content(self, earlier: EarlierRows) -> list[tuple[str, str]]:
        """The images with their sha256; without earlier rows it is not needed yet, and empty."""
        if not earlier:
            return [(path, "") for path in self.images]
        tasks = [self.images[i : i + HASH_TASK_SIZE] for i in range(0, len(self.images), HASH_TASK_SIZE)]
        with OrderedPool(partial(hash_files, self.root), lambda paths: [""] * len(paths), self.jobs) as pool:
            hashes = [sha256 for some in pool.map(tasks) for sha256 in some]
        return list(zip(self.images, hashes, strict=True))

    def _computed(
        self,
        shards: Sequence[Shard],
        pool: OrderedPool | OneProcess,
        summary: ExtractionSummary,
        on_progress: Progress,
    ) -> Iterator[tuple[Shard, dict[str, list[FaceRow]]]]:
        """Every shard with the rows of its missing images, by path."""
        devices = cycle(self.devices)
        tasks = [[Task(paths, next(devices)) for paths in _in_tasks(shard.missing)] for shard in shards]
        results = iter(pool.map([task for some in tasks for task in some]))
        for shard, own_tasks in zip(shards, tasks, strict=True):
            rows: dict[str, list[FaceRow]] = {}
            for task in own_tasks:
                result = next(results)
                for row in result.rows:
                    rows.setdefault(row.path, []).append(row)
                summary.n_computed += len(task.paths)
                summary.times.add(result.times)
                on_progress(len(task.paths), summary.times)
            on_progress(len(shard.images) - len(rows), summary.times)
            yield shard, rows

    def _pool(self, n_images: int) -> OrderedPool | OneProcess:
        """What does the tasks: this process, or as many workers as ``n_images`` can keep busy, but two at least."""
        if self.jobs == 1:
            return OneProcess(self.root, self.config, self.crop_folder)
        work = partial(process, self.root, self.config, self.crop_folder)
        return OrderedPool(work, self._after_death, min(self.jobs, max(2, ceil(n_images / TASK_SIZE))))

    def _after_death(self, task: Task) -> TaskResult:
        """Rows of a task whose worker died: its images one by one, the one that kills again is marked as failed."""
        if len(task.paths) == 1:
            path = task.paths[0]
            reason = "the worker process died while it processed this image"
            return TaskResult([FaceRow(path, hash_file(self.root / path), Status.FAILED, reason)])
        with self._pool(len(task.paths)) as pool:
            results = list(pool.map(Task([path], task.device) for path in task.paths))
        return TaskResult([row for result in results for row in result.rows])


def _in_tasks(paths: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(paths), TASK_SIZE):
        yield list(paths[start : start + TASK_SIZE])


def _refuse_other_spec(table: Path, spec: TableSpec) -> None:
    there = read_spec(table)
    if there is None or there.table_digest != spec.table_digest:
        found = "by other software" if there is None else difference(there, spec)
        raise TableError(
            f"{table} was made with other settings ({found}). "
            "Use the same settings, another --save_feature, or --overwrite to start again."
        )
