"""One photo probed: every face as it is and with every change, and what the heads say about each.

The face is not looked for again in the changed photo. The crop is cut where it was, so that what flips a decision is what was
changed, and not another box or other landmarks that the detector found because of it; and a face that the detector would lose
is still counted.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from faceheads.headfile import HeadFile
from faceheads.images.reading import DecodedImage, read_image
from faceheads.images.unreadable import UnreadableImage
from faceheads.prediction import Prediction
from faceheads.table import FaceRow, Status

from ..isolation import isolated
from ..pipeline import FacePipeline
from ..seen_image import ImageFaces, SeenImage
from .changes import CHANGES
from .sheet import tile_of
from .subject import Subject


@dataclass(eq=False)
class ProbedPhoto:
    """What became of one photo.

    Attributes
    ----------
    rows : list of FaceRow
        Of its faces as they are, or one that says why there is none.
    predictions : list of Prediction
        One for each target, of n_faces · (1 + n_changes) pictures: each face as it is and then with every change. Empty
        without a face.
    is_made : ndarray of shape (n_faces, n_changes), bool
        Which changes could be made; of the others the prediction is that of the face as it is.
    tiles : list of bytes or None
        The first face as it is and changed, as small JPEG files, None where a change could not be made; empty where
        nobody asked for them.
    """

    rows: list[FaceRow]
    predictions: list[Prediction] = field(default_factory=list)
    is_made: np.ndarray = field(default_factory=lambda: np.empty((0, 0), bool))
    tiles: list[bytes | None] = field(default_factory=list)


class Prober:
    """Probes photos with some heads.

    Parameters
    ----------
    pipeline : FacePipeline
    heads : HeadFile
    changes : sequence of str
        Keys of :data:`~features.probes.changes.CHANGES`.
    seed : int
        Of what is random in changes; every photo has random numbers of its own.

    Raises
    ------
    faceheads.headfile.HeadError
        If the heads need other embeddings.
    """

    def __init__(self, pipeline: FacePipeline, heads: HeadFile, changes: Sequence[str], seed: int = 0) -> None:
        heads.check_spec(pipeline.embedder.spec)
        self._pipeline = pipeline
        self._heads = heads
        self._changes = [CHANGES[name] for name in changes]
        self._seed = seed

    def probe_file(self, root: Path, path: str, is_shown: bool = False) -> ProbedPhoto:
        """Probe one file; what is wrong with it becomes its status. ``is_shown`` asks for tiles."""
        try:
            image = read_image(root / path)
        except UnreadableImage as error:
            sha256 = "" if error.sha256 is None else error.sha256
            return ProbedPhoto(SeenImage(path, sha256, (0, 0), ImageFaces(Status.UNREADABLE, error.reason)).rows(None))
        found = self._pipeline.find_faces([image.rgb])[0]
        seen = SeenImage(path, image.sha256, image.rgb.shape[:2], found)
        if found.crops is None:
            return ProbedPhoto(seen.rows(None))
        (probed,) = isolated(lambda _: [self._probe(seen, image, is_shown)], [path], "probing")
        return ProbedPhoto(seen.rows(probed)) if isinstance(probed, str) else probed

    def _probe(self, seen: SeenImage, image: DecodedImage, is_shown: bool) -> ProbedPhoto:
        embeddings, is_made, tiles = [], [], []
        seed = (self._seed, zlib.crc32(seen.path.encode()))
        for number, face in enumerate(seen.found.faces):
            subject = Subject.of(image.rgb, face, seed)
            changed = [change(subject.scene) for change in self._changes]
            embeddings.append(self._embedded(subject, changed))
            is_made.append([one is not None for one in changed])
            if is_shown and number == 0:
                shown, frame = (subject.scene.rgb, *changed), subject.scene.frame
                tiles = [None if one is None else tile_of(one, frame) for one in shown]
        predictions = self._heads.predict(np.concatenate(embeddings), self._pipeline.embedder.spec)
        rows = seen.rows(np.stack([of_face[0] for of_face in embeddings]))
        return ProbedPhoto(rows, predictions, np.array(is_made, bool).reshape(len(rows), -1), tiles)

    def _embedded(self, subject: Subject, changed: Sequence[np.ndarray | None]) -> np.ndarray:
        """Embeddings of the face as it is and with every change, that of the first in place of what could not be made."""
        before = self._pipeline.cut(subject.photo, [subject.face])[0]
        after = [
            before if one is None else self._pipeline.cut(subject.with_scene(one), [subject.face])[0]
            for one in changed
        ]
        (vectors,) = self._pipeline.embed([ImageFaces(Status.OK, crops=np.stack([before, *after]))])
        if isinstance(vectors, str):
            raise RuntimeError(vectors)  # noqa: TRY004  (what the pipeline says in place of vectors is why it failed)
        return vectors
