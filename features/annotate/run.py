"""A folder of photos annotated by the heads of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from faceheads.images.reading import read_image
from faceheads.images.unreadable import UnreadableImage
from faceheads.pool import OrderedPool
from faceheads.prediction import Prediction
from faceheads.store import HeadFile, load_heads
from faceheads.table import Status

from ..pipeline import FacePipeline
from ..pipeline_config import PipelineConfig
from ..seen_image import ImageFaces
from .decisions import FaceDecisions
from .known import KnownPhoto
from .predictions import decide_face
from .writer import AnnotationWriter

#: Below this number of photos starting worker processes takes longer than the work.
MIN_PHOTOS_FOR_WORKERS = 16


@dataclass
class AnnotationSummary:
    """What an annotation did.

    Attributes
    ----------
    n_photos, n_faces : int
    status_counts : dict of str to int
        Photos per :class:`~faceheads.table.Status`.
    faces_per_photo : dict of str to int
    """

    n_photos: int = 0
    n_faces: int = 0
    status_counts: dict[str, int] = field(default_factory=dict)
    faces_per_photo: dict[str, int] = field(default_factory=dict)


@dataclass
class _Annotated:
    path: str
    status: Status
    reason: str = ""
    image: np.ndarray | None = None
    faces: list[FaceDecisions] = field(default_factory=list)


class Annotator:
    """Finds the faces of photos, where they are not known already, and lets heads decide about them.

    Parameters
    ----------
    config : PipelineConfig
        Must make the embeddings that the heads learned from.
    heads : HeadFile, optional
        Without it nothing is decided beyond what is known already.
    shown : sequence of str, optional
        Targets to draw; default all (of more than four attributes the original's four).

    Raises
    ------
    faceheads.store.HeadError
        If the heads need other embeddings.
    """

    def __init__(self, config: PipelineConfig, heads: HeadFile | None, shown: Sequence[str] | None = None) -> None:
        self.pipeline = FacePipeline(config)
        self.heads = heads
        self.shown = shown
        if heads is not None:
            heads.check_spec(self.pipeline.table_spec.embedder)

    def annotate_file(self, root: Path, path: str, known: KnownPhoto | None = None) -> _Annotated:
        """Decisions about the faces of one file; what is wrong with it becomes its status."""
        try:
            image = read_image(root / path).rgb
        except UnreadableImage as error:
            return _Annotated(path, Status.UNREADABLE, error.reason)
        if known is None:
            found, faces = self.annotate(image)
            return _Annotated(path, found.status, found.reason, image, faces)
        return _Annotated(path, known.status, known.reason, image, self._with_heads(image, known.faces))

    def _with_heads(self, image: np.ndarray, faces: Sequence[FaceDecisions]) -> list[FaceDecisions]:
        """Known faces with what the heads decide as well; a failure is the reason why that is missing."""
        if self.heads is None or not faces:
            return list(faces)
        embeddings = self.pipeline.embed([aligned := self.pipeline.align(image, [face.face for face in faces])])[0]
        if not isinstance(embeddings, np.ndarray):
            reason = aligned.reason if embeddings is None else embeddings
            return [replace(face, reason=reason) for face in faces]
        predictions = self._predict(embeddings)
        decided = [decide_face(face.face, predictions, row, self.shown) for row, face in enumerate(faces)]
        return [
            replace(own, decisions=(*face.decisions, *own.decisions)) for face, own in zip(faces, decided, strict=True)
        ]

    def annotate(self, image: np.ndarray) -> tuple[ImageFaces, list[FaceDecisions]]:
        """Faces of an image (height, width, 3), uint8, RGB, and what the heads decide about each."""
        found = self.pipeline.find_faces([image])[0]
        embeddings = self.pipeline.embed([found])[0]
        if isinstance(embeddings, str):
            return ImageFaces(Status.FAILED, embeddings, found.n_faces), []
        if embeddings is None:
            return found, []
        predictions = self._predict(embeddings)
        return found, [decide_face(f, predictions, row, self.shown) for row, f in enumerate(found.faces)]

    def _predict(self, embeddings: np.ndarray) -> list[Prediction]:
        return self.heads.predict(embeddings, self.pipeline.table_spec.embedder)


#: The annotator of this process by job: a worker loads its networks and heads once.
_ANNOTATORS: dict[str, Annotator] = {}


@dataclass(frozen=True)
class AnnotationJob:
    """One run over a folder.

    Attributes
    ----------
    root : Path
        Folder of the photos.
    photos : sequence of str
        Relative paths, forward slashes.
    output : Path
        Folder for pictures and tables.
    model : Path or None
        Head file; None only where all faces are known.
    config : PipelineConfig
    shown : tuple of str or None
        Targets to draw.
    trust : bool
        Whether a pickled head file may be loaded.
    jobs : int
    font_path : str or None
        TrueType font for the labels; see :func:`features.annotate.draw_faces`.
    known : mapping of str to KnownPhoto
        Photos whose faces are known already, by path.
    """

    root: Path
    photos: Sequence[str]
    output: Path
    model: Path | None
    config: PipelineConfig
    shown: tuple[str, ...] | None = None
    trust: bool = False
    jobs: int = 1
    font_path: str | None = None
    known: Mapping[str, KnownPhoto] = field(default_factory=dict)

    def run(
        self,
        provenance: dict,
        on_photo: Callable[[], object] = lambda: None,
        preparing: Callable[[], AbstractContextManager] = nullcontext,
    ) -> AnnotationSummary:
        """Annotate every photo and write the tables; calls ``on_photo`` after each.

        ``preparing()`` surrounds what may take long before the first photo: compiling the detector.
        """
        summary = AnnotationSummary(n_photos=len(self.photos))
        counts: Counter[str] = Counter()
        jobs = self.jobs if len(self.photos) >= MIN_PHOTOS_FOR_WORKERS else 1
        with (
            AnnotationWriter(
                self.output, self.root, self.photos, provenance=provenance, font_path=self.font_path
            ) as writer,
            OrderedPool(partial(_annotate_file, replace(self, photos=(), known={})), _after_death, jobs) as pool,
        ):
            if len(self.known) < len(self.photos):
                with preparing():
                    FacePipeline(self.config).warm_up()
            for done in pool.map((path, self.known.get(path)) for path in self.photos):
                done = _written(writer, done)
                counts[done.status.value] += 1
                summary.n_faces += len(done.faces)
                summary.faces_per_photo[done.path] = len(done.faces)
                on_photo()
        summary.status_counts = {status.value: counts.get(status.value, 0) for status in Status}
        return summary


def _annotate_file(job: AnnotationJob, photo: tuple[str, KnownPhoto | None]) -> _Annotated:
    path, known = photo
    key = repr((job.model, job.trust, job.config, job.shown))
    if key not in _ANNOTATORS:
        _ANNOTATORS.clear()
        heads = None if job.model is None else load_heads(job.model, job.trust)
        _ANNOTATORS[key] = Annotator(job.config, heads, job.shown)
    return _ANNOTATORS[key].annotate_file(job.root, path, known)


def _written(writer: AnnotationWriter, done: _Annotated) -> _Annotated:
    """Write one photo; where its files cannot be written it is listed as failed and the run goes on."""
    try:
        writer.add_photo(done.path, done.image, done.faces, done.status.value, done.reason)
    except OSError as error:
        done = _Annotated(done.path, Status.FAILED, f"writing failed: {error}")
        writer.add_photo(done.path, status=done.status.value, reason=done.reason)
    return done


def _after_death(photo: tuple[str, KnownPhoto | None]) -> _Annotated:
    return _Annotated(photo[0], Status.FAILED, "the worker process died while it processed this photo")
