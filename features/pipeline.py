"""From one photo to the rows of a feature table: decode, detect, choose, align, embed.

:class:`PipelineConfig` says what to do and travels to worker processes; :class:`FacePipeline` does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from faceheads.extraction_command import extraction_command
from faceheads.images.reading import DecodedImage, read_image
from faceheads.images.unreadable import UnreadableImage
from faceheads.images.writing import write_image
from faceheads.joining import parts_of_spec
from faceheads.spec import TableSpec
from faceheads.table import FaceRow, Status, face_key

from .align import AlignmentError, crop_faces
from .detect import make_detector
from .embed import EmbedderRequest
from .embedders import Embedder
from .face import Face
from .landmarks import find_landmarks
from .opencv import import_cv2
from .quality import measure_quality
from .reduction import ReducedDetector
from .second_look import SecondLook
from .stage_times import StageTimes

FACE_POLICIES = ("largest", "central", "all", "only")
NO_FACE_POLICIES = ("skip", "whole")
#: Images that are decoded at once: what a detector that runs in batches is given.
DETECTION_BATCH = 8
#: Crops that wait for the network at most; an image with more faces is embedded whole.
WAITING_CROPS = 256


@dataclass(frozen=True)
class PipelineConfig:
    """Everything that decides which numbers come out of a photo.

    Attributes
    ----------
    embedder : EmbedderRequest
    detector : {"hog", "cnn", "mtcnn", "none"}
    detector_settings : dict
        Arguments of the detector, such as ``upsample``; ``reduction``, see :mod:`features.reduction`; and ``restore``,
        see :mod:`features.second_look`.
    landmarks : {"auto", "5", "68"}
        Landmarks that dlib's predictor finds in boxes without any; ``auto`` is what the embedder asks for.
    faces : {"largest", "central", "all", "only"}
        What becomes of several faces in one image.
    min_face_px : int
        Faces whose shorter side is smaller do not count.
    no_face : {"skip", "whole"}
        Whether an image without a face is embedded whole.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises
    ------
    ValueError
        If a policy is unknown or ``min_face_px`` negative.
    """

    embedder: EmbedderRequest = field(default_factory=EmbedderRequest)
    detector: str = "hog"
    detector_settings: dict = field(default_factory=dict)
    landmarks: str = "auto"
    faces: str = "largest"
    min_face_px: int = 0
    no_face: str = "skip"
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.faces not in FACE_POLICIES:
            raise ValueError(f"faces must be one of {FACE_POLICIES}; got {self.faces!r}.")
        if self.no_face not in NO_FACE_POLICIES:
            raise ValueError(f"no_face must be one of {NO_FACE_POLICIES}; got {self.no_face!r}.")
        if self.min_face_px < 0:
            raise ValueError(f"min_face_px must be 0 or more; got {self.min_face_px}.")

    @classmethod
    def from_spec(cls, spec: TableSpec, embedder_path: str | None = None, **changes: object) -> PipelineConfig:
        """The configuration that makes the rows of a table's specification, with some values changed.

        Raises
        ------
        ValueError
            If the embedder is a file and its path is not given, or several embedders were joined.
        """
        if len(parts_of_spec(spec)) > 1:
            raise ValueError(
                "These heads take the vectors of several embedders, joined, and photos go through one embedder at a time. "
                f"Extract the photos for each with: {extraction_command(spec)}. Then join the tables "
                "(faceheads.joining.join_tables) and give them to HeadFile.predict."
            )
        settings = dict(spec.detector_settings)
        landmarks = "68" if settings.pop("landmarks", None) == "dlib68" else "auto"
        values = {
            "embedder": EmbedderRequest.from_spec(spec.embedder, embedder_path),
            "detector": spec.detector,
            "detector_settings": settings,
            "landmarks": landmarks,
            "faces": spec.faces,
            "min_face_px": spec.min_face_px,
            "no_face": spec.no_face,
        }
        return cls(**{**values, **changes})


@dataclass(slots=True)
class ImageFaces:
    """What was found in one image: the faces that the policy kept, or why there are none.

    ``crops`` has shape (n_faces, n_versions, height, width, 3), uint8; several versions where the embedder jitters.
    """

    status: Status
    reason: str = ""
    n_faces: int = 0
    faces: list[Face] = field(default_factory=list)
    crops: np.ndarray | None = None

    @property
    def n_crops(self) -> int:
        """Crops that go through the network."""
        return 0 if self.crops is None else self.crops.shape[0] * self.crops.shape[1]


@dataclass(slots=True)
class SeenImage:
    """What is kept of an image once its faces are cut out."""

    path: str
    sha256: str
    image_hw: tuple[int, int]
    found: ImageFaces


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
        found = self._choose(image.shape[:2], faces)
        return self._aligned(image, found) if found.faces else found

    def _aligned(self, image: np.ndarray, found: ImageFaces) -> ImageFaces:
        result = isolated(lambda one: [self._landmarks_and_crops(one[0], found.faces)], [image], "alignment")[0]
        if isinstance(result, str):
            return ImageFaces(Status.FAILED, result, found.n_faces)
        found.faces, found.crops = result
        return found

    def _choose(self, image_hw: tuple[int, int], faces: list[Face]) -> ImageFaces:
        """Apply ``min_face_px`` and the policies for several faces and for none."""
        if not faces and self.config.no_face == "whole":
            whole = Face(np.array([0, 0, image_hw[1], image_hw[0]]), float("nan"), "none")
            return ImageFaces(Status.WHOLE_IMAGE, "no face was found, the whole image was taken", 0, [whole])
        if not faces:
            return ImageFaces(Status.NO_FACE)
        large = [face for face in faces if face.size_px >= self.config.min_face_px]
        if not large:
            reason = f"the largest face has {max(f.size_px for f in faces):.0f} px"
            return ImageFaces(Status.TOO_SMALL, reason, len(faces))
        if self.config.faces == "only" and len(large) > 1:
            return ImageFaces(Status.SEVERAL_FACES, f"{len(large)} faces", len(faces))
        return ImageFaces(Status.OK, "", len(faces), _keep(self.config.faces, large, image_hw))

    def _landmarks_and_crops(self, image: np.ndarray, faces: list[Face]) -> tuple[list[Face], np.ndarray]:
        if self.landmark_source is not None:
            faces = find_landmarks(image, faces, self.landmark_source)
        faces = find_landmarks(image, faces, self.landmark_scheme)
        spec = self.embedder.spec
        crops = crop_faces(image, faces, {**spec.crop, "jitter": spec.jitter})
        return faces, crops.reshape(len(faces), -1, *crops.shape[1:])

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
                rows += _rows(image, embedding)
            if crop_folder is not None and image.found.crops is not None:
                _save_crops(crop_folder, image.path, image.found.crops)
        return rows


def _keep(policy: str, faces: list[Face], image_hw: tuple[int, int]) -> list[Face]:
    if policy == "largest":
        return [max(faces, key=lambda face: float(np.prod(face.box_xyxy[2:] - face.box_xyxy[:2])))]
    if policy == "central":
        centre = np.array([image_hw[1], image_hw[0]]) / 2
        return [
            min(faces, key=lambda face: float(np.linalg.norm((face.box_xyxy[:2] + face.box_xyxy[2:]) / 2 - centre)))
        ]
    return faces


def _rows(image: SeenImage, embedding: np.ndarray | str | None) -> list[FaceRow]:
    found = image.found
    common = {
        "path": image.path,
        "sha256": image.sha256,
        "image_hw": image.image_hw,
        "n_faces": found.n_faces,
    }
    if isinstance(embedding, str):
        return [FaceRow(**common, status=Status.FAILED, reason=embedding)]
    if embedding is None:
        return [FaceRow(**common, status=found.status, reason=found.reason)]
    return [
        FaceRow(
            **common,
            status=found.status,
            reason=found.reason,
            face_index=i,
            box_xyxy=face.box_xyxy,
            landmarks_xy=face.landmarks_xy,
            detection_score=face.detection_score,
            embedding=vector,
            **measure_quality(crops[0]),
        )
        for i, (face, vector, crops) in enumerate(zip(found.faces, embedding, found.crops, strict=True))
    ]


def _save_crops(folder: Path, path: str, crops: np.ndarray) -> None:
    for i, crop in enumerate(crops[:, 0]):
        target = folder / f"{face_key(path, i)}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_image(target, crop)


def isolated(function: Callable[[list], list], items: Sequence, what: str) -> list:
    """``function(items)``; where that fails, each item alone, and a sentence in place of the result of one that fails.

    Failures that pictures cause (compiled code refusing a shape, memory) become data; mistakes of the program
    (``TypeError``, ``KeyError`` …) are raised.
    """
    failures = (RuntimeError, ValueError, MemoryError, AlignmentError, import_cv2().error)
    if not items:
        return []
    try:
        return function(list(items))
    except failures as error:
        if len(items) == 1:
            return [f"{what} failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"]
    return [isolated(function, [item], what)[0] for item in items]
