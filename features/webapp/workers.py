"""A few threads that do all work on photos, each with detectors of its own.

A detector belongs to one thread (dlib's corrupts memory when shared); embedders are shared. As many photos are in work as there
are threads, whatever the number of visitors.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from faceheads.pool import default_jobs

from ..extract_worker import use_torch_threads
from ..face import Face
from ..pipeline import FacePipeline
from ..pipeline_config import PipelineConfig

Result = TypeVar("Result")
#: Of the picture of nothing that pipelines are warmed up with.
_SIDE_PX = 160
PipelineOf = Callable[[PipelineConfig], FacePipeline]


class Workers:
    """Runs work on photos in threads that are warm.

    Parameters
    ----------
    n_threads : int
    """

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix="photos")
        self._own = threading.local()
        self._shared: dict[str, FacePipeline] = {}
        self._lock = threading.Lock()

    def submit(self, work: Callable[[PipelineOf], Result]) -> Future[Result]:
        """Have a thread do ``work``, which is given a function from a configuration to that thread's pipeline."""
        return self._threads.submit(work, self._pipeline)

    def run(self, work: Callable[[PipelineOf], Result]) -> Result:
        """The result of ``work``, done by a thread."""
        return self.submit(work).result()

    def warm_up(self, config: PipelineConfig) -> None:
        """Compile and load now, in every thread, what the first photo would wait for."""
        use_torch_threads(max(1, default_jobs() // self.n_threads))
        self._pipeline_with_shared_embedder(config).warm_up()
        together = threading.Barrier(self.n_threads)

        def warm(pipeline_of: PipelineOf) -> None:
            together.wait()  # so that each thread takes one
            pipeline_of(config).warm_up()

        for future in [self.submit(warm) for _ in range(self.n_threads)]:
            future.result()

    def close(self) -> None:
        """Finish what is in work and end the threads."""
        self._threads.shutdown(cancel_futures=True)

    def _pipeline(self, config: PipelineConfig) -> FacePipeline:
        pipelines = self._own.__dict__.setdefault("pipelines", {})
        key = repr(config)
        if key not in pipelines:
            pipelines[key] = self._pipeline_with_shared_embedder(config)
        return pipelines[key]

    def _pipeline_with_shared_embedder(self, config: PipelineConfig) -> FacePipeline:
        with self._lock:
            key = repr(config)
            if key not in self._shared:
                self._shared[key] = FacePipeline(config)
                _embed_something(self._shared[key])
            return FacePipeline(config, self._shared[key].embedder)


def _embed_something(pipeline: FacePipeline) -> None:
    """Load the network and the landmark predictor with a picture of nothing."""
    image = np.zeros((_SIDE_PX, _SIDE_PX, 3), np.uint8)
    box = np.array([_SIDE_PX / 4, _SIDE_PX / 4, 3 * _SIDE_PX / 4, 3 * _SIDE_PX / 4])
    pipeline.embed([pipeline.align(image, [Face(box, 0.0, pipeline.config.detector)])])
