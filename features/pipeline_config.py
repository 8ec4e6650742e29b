"""What decides which numbers come out of a photo: detector, embedder, and policies for several faces and for none.

A configuration travels to worker processes; :class:`~features.pipeline.FacePipeline` does what it says.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from faceheads.extraction_command import extraction_command
from faceheads.joining import parts_of_spec
from faceheads.spec import TableSpec

from .embed import EmbedderRequest

FACE_POLICIES = ("largest", "central", "all", "only")
NO_FACE_POLICIES = ("skip", "whole")
#: Why heads without a specification cannot be given photos.
UNKNOWN_SPEC = (
    "The model was trained on a table without a specification (a CSV of other software), so nobody can tell "
    "which embeddings it needs. Train again on a table that feature_extraction.py wrote."
)


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
