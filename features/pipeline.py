"""From photos to the rows of a feature table: decode, detect, choose, align, embed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from faceheads.images.reading import DecodedImage, read_image
from faceheads.images.unreadable import UnreadableImage
from faceheads.spec import TableSpec
from faceheads.table import FaceRow, Status

from .align import crop_faces
from .detect import make_detector
from .embedders import Embedder
from .face import Face
from .face_choice import choose_faces
from .isolation import isolated
from .landmarks import find_landmarks
from .pipeline_config import PipelineConfig
from .reduction import ReducedDetector
from .second_look import SecondLook
from .seen_image import ImageFaces, SeenImage
from .stage_times import StageTimes

#: Images that are decoded at once: what a detector that runs in batches is given.
DETECTION_BATCH = 8
#: Crops that wait for the network at most; an image with more faces is embedded whole.
WAITING_CROPS = 256


class FacePipeline:
    """Detect, choose, align and embed with one detector and one embedder; belongs to one thread.

    Parameters
    ----------
    config : PipelineConfig
    embedder : Embedder, optional
        That of the configuration, where it is there already.
    """

    def __init__(self, config: PipelineConfig, embedder: Embedder | None = None) -> None:
        self.config = config
        self.times = StageTimes()
        if embedder is not None:
            self.embedder = embedder

    @cached_property
    def detector(self):
        """The detector, made when it is first needed."""
        settings = dict(self.config.detector_settings)
        reduction, is_restored = settings.pop("reduction", 1), settings.pop("restore", False)
        if self.config.detector in ("cnn", "mtcnn"):
            settings["device"] = self.config.device
        detector = make_detector(self.config.detector, **settings)
        detector = detector if reduction == 1 else ReducedDetector(detector, reduction)
        return SecondLook(detector) if is_restored else detector

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder, made when it is first needed."""
        return self.config.embedder.build(self.config.device)

    @cached_property
    def landmark_scheme(self) -> str:
        """The landmark scheme of the faces that come out."""
        return self.embedder.spec.landmark_scheme

    @cached_property
    def table_spec(self) -> TableSpec:
        """The specification of tables made by this pipeline."""
        settings = dict(self.detector.settings)
        if self.landmark_source is not None:
            settings["landmarks"] = self.landmark_source
        return TableSpec(
            embedder=self.embedder.spec,
            detector=self.config.detector,
            detector_settings=settings,
            faces=self.config.faces,
            min_face_px=self.config.min_face_px,
            no_face=self.config.no_face,
        )

    @cached_property
    def landmark_source(self) -> str | None:
        """Scheme that dlib's predictor must find before alignment, or None where the detector's own serve.

        Raises
        ------
        ValueError
            If the embedder needs landmarks that this detector and predictor cannot give.
        """
        wanted, own = self.landmark_scheme, self.detector.landmark_scheme
        if wanted != "none" and wanted == own and self.config.no_face == "whole":
            raise ValueError(
                f"--no_face whole needs landmarks in images where the detector {self.config.detector!r} found no face, "
                f"and the embedder {self.embedder.spec.network!r} takes those of that detector. Leave --no_face away, "
                "or let dlib find them: --detector hog or cnn with --landmarks 68."
            )
        if wanted == "none" or wanted == own:
            return None
        if wanted in ("dlib5", "dlib68"):
            return wanted
        if self.config.landmarks == "68":
            return "dlib68"
        raise ValueError(
            f"The embedder {self.embedder.spec.network!r} needs landmarks of scheme {wanted!r}, which the detector "
            f"{self.config.detector!r} does not give. Use --detector mtcnn, or --landmarks 68 (dlib's 68-point "
            "predictor, whose training data exclude commercial use)."
        )

    def warm_up(self) -> None:
        """Compile and cache what is compiled at first use: once, before worker processes would each do it."""
        self.detector.detect([np.zeros((96, 96, 3), np.uint8)])

    # ------------------------------------------------------------------------------------------ one step each

    def find_faces(self, images: Sequence[np.ndarray]) -> list[ImageFaces]:
        """The faces of each image that the policy keeps, with landmarks and aligned crops.

        Parameters
        ----------
        images : sequence of ndarray of shape (height, width, 3), uint8, RGB
        """
        with self.times.measured("detect", len(images)):
            detected = isolated(self.detector.detect, images, "detection")
        with self.times.measured("align", len(images)):
            return [self._align(image, faces) for image, faces in zip(images, detected, strict=True)]

    def align(self, image: np.ndarray, faces: Sequence[Face]) -> ImageFaces:
        """Landmarks and aligned crops of faces that are known already; all are kept.

        Parameters
        ----------
        image : ndarray of shape (height, width, 3), uint8, RGB
        faces : sequence of Face
            At least one.
        """
        with self.times.measured("align", 1):
            return self._aligned(image, ImageFaces(Status.OK, "", len(faces), list(faces)))

    def _align(self, image: np.ndarray, faces: list[Face] | str) -> ImageFaces:
        if isinstance(faces, str):
            return ImageFaces(Status.FAILED, faces)
        found = choose_faces(faces, image.shape[:2], self.config)
        return self._aligned(image, found) if found.faces else found

    def _aligned(self, image: np.ndarray, found: ImageFaces) -> ImageFaces:
        result = isolated(lambda one: [self._landmarks_and_crops(one[0], found.faces)], [image], "alignment")[0]
        if isinstance(result, str):
            return ImageFaces(Status.FAILED, result, found.n_faces)
        found.faces, found.crops = result
        return found

    def _landmarks_and_crops(self, image: np.ndarray, faces: list[Face]) -> tuple[list[Face], np.ndarray]:
        if self.landmark_source is not None:
            faces = find_landmarks(image, faces, self.landmark_source)
        faces = find_landmarks(image, faces, self.landmark_scheme)
        return faces, self.cut(image, faces)

    def cut(self, image: np.ndarray, faces: Sequence[Face]) -> np.ndarray:
        """Aligned crops of faces that have the embedder's landmarks already, with no look at the image for others.

        Parameters
        ----------
        image : ndarray of shape (height, width, 3), uint8, RGB
        faces : sequence of Face
            As :meth:`find_faces` and :meth:`align` give them.

        Returns
        -------
        ndarray of shape (n_faces, n_versions, crop_height, crop_width, 3), uint8, RGB
        """
        spec = self.embedder.spec
        crops = crop_faces(image, faces, {**spec.crop, "jitter": spec.jitter})
        return crops.reshape(len(faces), -1, *crops.shape[1:])

    def embed(self, found: Sequence[ImageFaces]) -> list[np.ndarray | str | None]:
        """Embeddings of the faces of each image, array of shape (n_faces, dimension), float32.

        None where there is no face, a sentence where embedding failed.
        """
        with_crops = [i for i, one in enumerate(found) if one.crops is not None]
        n_crops = sum(one.n_crops for one in found)
        with self.times.measured("embed", n_crops):
            vectors = isolated(self._embed_crops, [found[i].crops for i in with_crops], "embedding")
        out: list[np.ndarray | str | None] = [None] * len(found)
        for i, vector in zip(with_crops, vectors, strict=True):
            out[i] = vector
        return out

    def _embed_crops(self, crops: Sequence[np.ndarray]) -> list[np.ndarray]:
        n_faces = [len(one) for one in crops]
        n_versions = crops[0].shape[1]
        flat = np.concatenate([one.reshape(-1, *one.shape[2:]) for one in crops])
        vectors = self.embedder.embed(flat).reshape(sum(n_faces), n_versions, -1).mean(axis=1)
        return np.split(vectors, np.cumsum(n_faces)[:-1])

    # ------------------------------------------------------------------------------------------ files to rows

    def rows_of(self, root: Path, paths: Sequence[str], crop_folder: Path | None = None) -> list[FaceRow]:
        """Rows of a feature table for images, at least one for each.

        Parameters
        ----------
        root : Path
            The data folder.
        paths : sequence of str
            Paths relative to it.
        crop_folder : Path, optional
            Where to write the aligned crops as PNG.
        """
        rows: list[FaceRow] = []
        waiting: list[SeenImage] = []
        for seen in self.look_at(root, paths):
            waiting.append(seen)
            if sum(one.found.n_crops for one in waiting) >= WAITING_CROPS:
                rows += self.rows_from(waiting, crop_folder)
                waiting = []
        return rows + self.rows_from(waiting, crop_folder)

    def look_at(self, root: Path, paths: Sequence[str]) -> Iterator[SeenImage]:
        """The faces of each image that the policy keeps, their crops cut out; the images themselves are not kept."""
        for start in range(0, len(paths), DETECTION_BATCH):
            some = {path: self._decoded(root / path) for path in paths[start : start + DETECTION_BATCH]}
            found = iter(self.find_faces([image.rgb for image in some.values() if isinstance(image, DecodedImage)]))
            for path, image in some.items():
                if isinstance(image, DecodedImage):
                    yield SeenImage(path, image.sha256, image.rgb.shape[:2], next(found))
                else:
                    sha256 = "" if image.sha256 is None else image.sha256
                    yield SeenImage(path, sha256, (0, 0), ImageFaces(Status.UNREADABLE, image.reason))

    def _decoded(self, path: Path) -> DecodedImage | UnreadableImage:
        with self.times.measured("decode", 1):
            try:
                return read_image(path)
            except UnreadableImage as error:
                return error

    def rows_from(self, seen: Sequence[SeenImage], crop_folder: Path | None = None) -> list[FaceRow]:
        """Rows of a feature table for images whose faces were found: the second half of :meth:`rows_of`."""
        rows: list[FaceRow] = []
        for image, embedding in zip(seen, self.embed([image.found for image in seen]), strict=True):
            with self.times.measured("quality", 1):
                rows += image.rows(embedding)
            if crop_folder is not None:
                image.save_crops(crop_folder)
        return rows
