"""What a worker process of an extraction does: some images become rows, some files become hashes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from faceheads.table import FaceRow

from .pipeline import FacePipeline
from .pipeline_config import PipelineConfig
from .stage_times import StageTimes


@dataclass(frozen=True)
class Task:
    """Images for one worker, and the device it is to use."""

    paths: list[str]
    device: str


@dataclass
class TaskResult:
    """Rows of the images of a task, and what they took."""

    rows: list[FaceRow]
    times: StageTimes = field(default_factory=StageTimes)


#: The pipelines of this process by configuration: a worker builds its networks once.
_PIPELINES: dict[str, FacePipeline] = {}


def process(root: Path, config: PipelineConfig, crops: Path | None, task: Task) -> TaskResult:
    """Rows of the images of a task, by a worker among others: it uses one thread."""
    use_torch_threads(1)
    pipeline = _pipeline(replace(config, device=task.device))
    pipeline.times = StageTimes()
    rows = pipeline.rows_of(root, task.paths, crops)
    return TaskResult(rows, pipeline.times)


def prepare(config: PipelineConfig) -> None:
    """Load what a worker's first task would wait for: torch, the detector, the weights."""
    use_torch_threads(1)
    _ = _pipeline(config).table_spec


def _pipeline(config: PipelineConfig) -> FacePipeline:
    key = repr(config)
    if key not in _PIPELINES:
        _PIPELINES[key] = FacePipeline(config)
    return _PIPELINES[key]


@lru_cache(maxsize=1)
def use_torch_threads(n_threads: int) -> None:
    """Let torch use so many threads in this process."""
    import torch

    torch.set_num_threads(n_threads)


def hash_files(root: Path, paths: list[str]) -> list[str]:
    """sha256 of each file, empty where it cannot be read."""
    return [hash_file(root / path) for path in paths]


def hash_file(path: Path) -> str:
    """sha256 of a file, empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
