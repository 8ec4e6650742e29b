"""Every photo of a folder probed, in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from faceheads.pool import OrderedPool
from faceheads.prediction import Prediction
from faceheads.store import load_heads
from faceheads.table import FaceRow, FaceTable, Status

from ..face import LANDMARK_SCHEMES
from ..pipeline import FacePipeline
from ..pipeline_config import PipelineConfig
from .changes import FLOOR, PROBES, Probe
from .prober import ProbedPhoto, Prober
from .sheet import N_FACES

#: Photos that may give a face to the sheet, for each place on it: some have none.
_CANDIDATES = 3


@dataclass(frozen=True, eq=False)
class Answers:
    """What one head says about every face, as it is and changed.

    Attributes
    ----------
    target : str
    classes : tuple
        Empty for a number.
    unit : str
        Of a number.
    value : ndarray of shape (n_faces, 1 + n_changes)
        Decided class or number: of the face as it is, then with every change.
    probabilities : ndarray of shape (n_faces, 1 + n_changes, n_classes), float64
    """

    target: str
    classes: tuple
    unit: str
    value: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def joined(cls, predictions: Sequence[Prediction], n_pictures: int) -> Answers:
        """Of the predictions for the photos, ``n_pictures`` for each face."""
        first = predictions[0]
        value = np.concatenate([one.value for one in predictions]).reshape(-1, n_pictures)
        probabilities = np.concatenate([one.probabilities for one in predictions])
        shape = (*value.shape, len(first.classes))
        return cls(first.target, first.classes, first.unit, value, probabilities.reshape(shape))


@dataclass(frozen=True, eq=False)
class Probed:
    """What a run found.

    Attributes
    ----------
    table : FaceTable
        Every photo, its faces as they are.
    probes : tuple of Probe
    changes : tuple of str
    answers : tuple of Answers
        Of each target, for the n_faces usable rows of the table; empty without a face.
    is_made : ndarray of shape (n_faces, n_changes), bool
    shown : list of (str, list of bytes or None)
        Faces for the sheet, see :func:`features.probes.sheet.probe_sheet`.
    """

    table: FaceTable
    probes: tuple[Probe, ...]
    changes: tuple[str, ...]
    answers: tuple[Answers, ...]
    is_made: np.ndarray
    shown: list[tuple[str, list[bytes | None]]]


@dataclass(frozen=True)
class ProbeJob:
    """One run over a folder.

    Attributes
    ----------
    root : Path
        Folder of the photos.
    model : Path
        Head file.
    config : PipelineConfig
        Must make the embeddings that the heads learned from.
    targets : tuple of str or None
        What the heads are asked; None is everything.
    families : tuple of str
        Of :data:`~features.probes.changes.FAMILIES`.
    seed : int
    trust : bool
        Whether a pickled head file may be loaded.
    jobs : int
    """

    root: Path
    model: Path
    config: PipelineConfig
    targets: tuple[str, ...] | None
    families: tuple[str, ...]
    seed: int = 0
    trust: bool = False
    jobs: int = 1

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The probes of the families that are asked for; invisible noise is always one."""
        return (*(probe for probe in PROBES if probe.family in self.families), FLOOR)

    @property
    def changes(self) -> tuple[str, ...]:
        """Every change that these need, a control after its probe."""
        named = (name for probe in self.probes for name in (probe.name, probe.control))
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def run(self, photos: Sequence[str], on_photo: Callable[[], object] = lambda: None) -> Probed:
        """Probe every photo; photos are named by paths relative to ``root``."""
        shown = set(_spread(photos, _CANDIDATES * N_FACES))
        done = []
        with OrderedPool(partial(_probe_photo, self), _after_death, min(self.jobs, len(photos))) as pool:
            for probed in pool.map((path, path in shown) for path in photos):
                done.append(probed)
                on_photo()
        return self.gathered(done)

    def gathered(self, done: list[ProbedPhoto]) -> Probed:
        spec = FacePipeline(self.config).table_spec
        n_landmarks = LANDMARK_SCHEMES[spec.embedder.landmark_scheme]
        table = FaceTable.from_rows([row for photo in done for row in photo.rows], n_landmarks, spec)
        with_face = [photo for photo in done if photo.predictions]
        by_target = zip(*(photo.predictions for photo in with_face), strict=True)
        answers = [Answers.joined(predictions, 1 + len(self.changes)) for predictions in by_target]
        asked = tuple(one for one in answers if self.targets is None or one.target in self.targets)
        made = [photo.is_made for photo in with_face]
        is_made = np.concatenate(made) if made else np.empty((0, len(self.changes)), bool)
        shown = [(photo.rows[0].path, photo.tiles) for photo in with_face if photo.tiles]
        return Probed(table, self.probes, self.changes, asked, is_made, shown[:N_FACES])


def _spread(photos: Sequence[str], n: int) -> list[str]:
    """At most ``n`` photos, evenly spaced."""
    return list(photos[:: max(1, len(photos) // n)])[:n]


#: The prober of this process by job: a worker loads its networks and heads once.
_PROBERS: dict[str, Prober] = {}


def _probe_photo(job: ProbeJob, photo: tuple[str, bool]) -> ProbedPhoto:
    key = repr(replace(job, root=Path(), jobs=1))
    if key not in _PROBERS:
        _PROBERS.clear()
        heads = load_heads(job.model, job.trust)
        asked = heads if job.targets is None else heads.select(list(job.targets))
        _PROBERS[key] = Prober(FacePipeline(job.config), asked, job.changes, job.seed)
    path, is_shown = photo
    return _PROBERS[key].probe_file(job.root, path, is_shown)


def _after_death(photo: tuple[str, bool]) -> ProbedPhoto:
    reason = "the worker process died while it processed this photo"
    return ProbedPhoto([FaceRow(photo[0], "", Status.FAILED, reason)])
