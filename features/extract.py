"""A folder of photos becomes a feature table, shard by shard, and takes up where it was stopped.

While a table is being made its shards lie in ``NAME.parts/``; each appears under its name only when it is complete, so
a killed run loses at most the shard in work. What was computed is found again by the content of the image (sha256),
whatever its name, date or place.
"""

from __future__ import annotations

import hashlib
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

from faceheads.spec import TableSpec
from faceheads.table import FaceRow, FaceTable, Status, TableError
from faceheads.table_io import iterate_table, read_spec, write_table

from .earlier import EarlierRows, table_pieces
from .face import LANDMARK_SCHEMES
from .pipeline import STAGES, FacePipeline, PipelineConfig
from .pool import OrderedPool

#: Images of a shard: what a killed run computes again at most.
SHARD_SIZE = 512
#: Images of a task of a worker: enough faces for the network to run in batches.
TASK_SIZE = 32


@dataclass
class ExtractionSummary:
    """What an extraction did.

    Attributes
    ----------
    n_images, n_faces, n_computed, n_reused : int
        Input images; rows with an embedding; images processed in this run; images taken from an earlier one.
    status_counts : dict of str to int
        Images per :class:`~faceheads.table.Status`.
    stage_seconds : dict of str to float
        CPU seconds per stage over all workers.
    wall_s : float
        Duration in seconds.
    """

    n_images: int = 0
    n_faces: int = 0
    n_computed: int = 0
    n_reused: int = 0
    status_counts: dict[str, int] = field(default_factory=dict)
    stage_seconds: dict[str, float] = field(default_factory=dict)
    wall_s: float = 0.0

    @property
    def images_per_s(self) -> float:
        """Images processed per second; NaN when none was."""
        return self.n_computed / self.wall_s if self.n_computed else float("nan")

    @property
    def limiting_stage(self) -> str:
        """The stage that took the most time, empty when nothing was computed."""
        return max(self.stage_seconds, key=self.stage_seconds.__getitem__) if self.stage_seconds else ""

    def to_json(self) -> dict:
        """The summary as JSON values."""
        seconds = {stage: round(s, 3) for stage, s in self.stage_seconds.items()}
        return {
            "images": self.n_images,
            "faces": self.n_faces,
            "computed": self.n_computed,
            "reused": self.n_reused,
            "status": self.status_counts,
            "stage_seconds": seconds,
            "limiting_stage": self.limiting_stage,
            "wall_s": round(self.wall_s, 3),
        }


# ------------------------------------------------------------------------------------------- in the workers


@dataclass(frozen=True)
class _Task:
    """Images for one worker, and the device it is to use."""

    paths: list[str]
    device: str


@dataclass
class _TaskResult:
    rows: list[FaceRow]
    seconds: dict[str, float]


#: The pipelines of this process by configuration: a worker builds its networks once.
_PIPELINES: dict[str, FacePipeline] = {}


def _process(root: Path, config: PipelineConfig, crops: Path | None, is_worker: bool, task: _Task) -> _TaskResult:
    if is_worker:
        _use_one_torch_thread()
    config = replace(config, device=task.device)
    key = repr(config)
    if key not in _PIPELINES:
        _PIPELINES[key] = FacePipeline(config)
    pipeline = _PIPELINES[key]
    pipeline.seconds.clear()
    rows = pipeline.rows_of(root, task.paths, crops)
    return _TaskResult(rows, dict(pipeline.seconds))


@lru_cache(maxsize=1)
def _use_one_torch_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _hash_files(root: Path, paths: list[str]) -> list[str]:
    return [_hash_file(root / path) for path in paths]


def _hash_file(path: Path) -> str:
    """sha256 of a file, empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


# ------------------------------------------------------------------------------------------- the run


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
        Worker processes.
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
    _n_tasks: int = field(default=0, init=False, repr=False)

    def run(self, on_progress: Callable[[int, dict[str, float]], None] | None = None) -> ExtractionSummary:
        """Make the table; calls ``on_progress(n_images, stage_seconds)`` as images are done.

        Raises
        ------
        TableError
            If the output exists and was made with other settings, or cannot be read.
        ValueError
            If there are no images, an image is named twice, or embedder and detector do not fit.
        """
        start = time.perf_counter()
        self._check()
        pipeline = FacePipeline(self.config)
        spec = pipeline.table_spec
        earlier = self._earlier(spec)
        summary = ExtractionSummary(n_images=len(self.images))
        if self.jobs > 1:
            pipeline.warm_up()
        with self._pool() as pool:
            hashes = self._hashes() if earlier else [""] * len(self.images)
            self._make_parts(pool, spec, earlier, hashes, summary, on_progress)
        self._finish(earlier, hashes, summary)
        summary.wall_s = time.perf_counter() - start
        return summary

    @property
    def parts(self) -> Path:
        """The folder of shards while the table is being made."""
        return self.output.with_name(f"{self.output.name}.parts")

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
        if self.overwrite:
            shutil.rmtree(self.parts, ignore_errors=True)
            return EarlierRows([], False)
        for leftover in self.parts.glob(".*.tmp"):
            leftover.unlink()
        there = sorted(self.parts.glob("*.parquet"))
        if self.output.exists():
            there.append(self.output)
        for source in there:
            self._refuse_other_spec(source, spec)
        return EarlierRows(self._set_aside(there), self.retry_failed)

    def _set_aside(self, sources: Sequence[Path]) -> list[Path]:
        """Rename shards of an earlier run so that new ones never overwrite rows that are still to be read."""
        moved = []
        for source in sources:
            if source.name.startswith("part-") and source.parent == self.parts:
                source = source.rename(source.with_name(f"earlier-{uuid.uuid4().hex}.parquet"))
            moved.append(source)
        return moved

    def _refuse_other_spec(self, source: Path, spec: TableSpec) -> None:
        there = read_spec(source)
        if there is None or there.table_digest != spec.table_digest:
            raise TableError(
                f"{source} was made with other settings ({_difference(there, spec)}). "
                "Use the same settings, another --save_feature, or --overwrite to start again."
            )

    def _pool(self) -> OrderedPool:
        work = partial(_process, self.root, self.config, self.crop_folder, self.jobs > 1)
        return OrderedPool(work, self._after_death, self.jobs)

    def _after_death(self, task: _Task) -> _TaskResult:
        """Rows of a task whose worker died: its images one by one, the one that kills again is marked as failed."""
        if len(task.paths) == 1:
            path = task.paths[0]
            reason = "the worker process died while it processed this image"
            return _TaskResult([FaceRow(path, _hash_file(self.root / path), Status.FAILED, reason)], {})
        rows: list[FaceRow] = []
        with self._pool() as pool:
            for result in pool.map(_Task([path], task.device) for path in task.paths):
                rows += result.rows
        return _TaskResult(rows, {})

    def _hashes(self) -> list[str]:
        tasks = [self.images[i : i + 256] for i in range(0, len(self.images), 256)]
        with OrderedPool(partial(_hash_files, self.root), lambda paths: [""] * len(paths), self.jobs) as pool:
            return [sha256 for hashes in pool.map(tasks) for sha256 in hashes]

    def _make_parts(
        self,
        pool: OrderedPool,
        spec: TableSpec,
        earlier: EarlierRows,
        hashes: list[str],
        summary: ExtractionSummary,
        on_progress: Callable[[int, dict[str, float]], None] | None,
    ) -> None:
        """Write every shard that is not there yet."""
        shards = list(self._shards(earlier, hashes))
        tasks = [task for shard in shards for task in shard.tasks]
        results = iter(pool.map(tasks))
        for shard in shards:
            computed = {}
            for task in shard.tasks:
                result = next(results)
                for row in result.rows:
                    computed.setdefault(row.path, []).append(row)
                _count_task(summary, task, result)
                if on_progress is not None:
                    on_progress(len(task.paths), summary.stage_seconds)
            if on_progress is not None and len(shard.images) > len(computed):
                on_progress(len(shard.images) - len(computed), summary.stage_seconds)
            self._write_shard(shard, computed, earlier, spec, summary)

    def _shards(self, earlier: EarlierRows, hashes: list[str]) -> Iterator[_Shard]:
        named = list(zip(self.images, hashes, strict=True))
        if self.output.exists() and earlier.file_of_exactly(named) == self.output:
            return
        for number, start in enumerate(range(0, len(named), self.shard_size)):
            images = named[start : start + self.shard_size]
            missing = [path for path, sha256 in images if sha256 not in earlier]
            tasks = [self._task(missing[i : i + TASK_SIZE]) for i in range(0, len(missing), TASK_SIZE)]
            yield _Shard(self.parts / f"part-{number:05d}.parquet", images, tasks)

    def _task(self, paths: list[str]) -> _Task:
        self._n_tasks += 1
        return _Task(paths, self.devices[self._n_tasks % len(self.devices)])

    def _write_shard(
        self,
        shard: _Shard,
        computed: dict[str, list[FaceRow]],
        earlier: EarlierRows,
        spec: TableSpec,
        summary: ExtractionSummary,
    ) -> None:
        summary.n_reused += len(shard.images) - len(computed)
        same = None if computed else earlier.file_of_exactly(shard.images)
        if same is not None and same != self.output:
            earlier.rename(same, shard.path)
            return
        rows = []
        for path, sha256 in shard.images:
            rows += computed[path] if path in computed else earlier.rows(path, sha256)
        table = FaceTable.from_rows(rows, LANDMARK_SCHEMES[spec.embedder.landmark_scheme], spec)
        write_table(shard.path, table)

    def _finish(self, earlier: EarlierRows, hashes: list[str], summary: ExtractionSummary) -> None:
        """Join the shards into the output and count what it holds."""
        if self.parts.is_dir():
            self._join_parts()
        else:
            summary.n_reused = len(self.images)
        first: dict[str, str] = {}
        for piece in table_pieces(self.output):
            summary.n_faces += int(piece.has_embedding.sum())
            for path, status in zip(piece.path, piece.status, strict=True):
                first.setdefault(path, status)
        counts = Counter(first.values())
        summary.status_counts = {status.value: counts.get(status.value, 0) for status in Status}

    def _join_parts(self) -> None:
        n_shards = -(-len(self.images) // self.shard_size)
        files = [self.parts / f"part-{number:05d}.parquet" for number in range(n_shards)]
        for stale in set(self.parts.glob("part-*.parquet")) - set(files):
            stale.unlink()
        if self.output.suffix == "":
            shutil.rmtree(self.output, ignore_errors=True)
            self.parts.rename(self.output)
            return
        pieces = (piece for file in files for piece in iterate_table(file))
        write_table(self.output, pieces)
        shutil.rmtree(self.parts)


@dataclass
class _Shard:
    path: Path
    images: list[tuple[str, str]]
    tasks: list[_Task]


def _count_task(summary: ExtractionSummary, task: _Task, result: _TaskResult) -> None:
    summary.n_computed += len(task.paths)
    for stage in STAGES:
        if stage in result.seconds:
            summary.stage_seconds[stage] = summary.stage_seconds.get(stage, 0.0) + result.seconds[stage]


def _difference(there: TableSpec | None, wanted: TableSpec) -> str:
    if there is None:
        return "by other software"
    old, new = (_flat(spec.to_json()) for spec in (there, wanted))
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return "; ".join(f"{name}: {old.get(name)!r} there, {new.get(name)!r} now" for name in names)


def _flat(values: dict, prefix: str = "") -> dict:
    flat = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat
