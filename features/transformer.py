"""Photos to embeddings as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from faceheads.images.pixels import check_rgb
from faceheads.images.reading import read_image
from faceheads.table import Status

from .embed import EmbedderRequest
from .pipeline import FacePipeline
from .pipeline_config import PipelineConfig


class FaceEmbedder(TransformerMixin, BaseEstimator):
    """Turn photos into one embedding each, for use in scikit-learn pipelines.

    Parameters
    ----------
    embedder : str, default="dlib"
        ``"dlib"``, ``"facenet"``, ``"dlib-reference"``, or the path of an ONNX file or exported network.
    layers : str or sequence of str, default="final"
        Layers to concatenate, or a preset such as ``"attributes"``.
    flip : bool, default=False
        Average each face with its mirror image.
    detector : {"hog", "cnn", "mtcnn", "none"}, default="hog"
    upsample : int, default=None
        Times the image is doubled before detection; None for the detector's default.
    faces : {"largest", "central", "only"}, default="largest"
        Which of several faces counts.
    no_face : {"skip", "whole"}, default="skip"
        An image without a face becomes a row of NaN, or is embedded whole.
    device : str, default="cpu"

    Attributes
    ----------
    spec_ : faceheads.spec.TableSpec
        What the vectors are made of.
    n_features_out_ : int
        Their dimension.

    Examples
    --------
    >>> from features.transformer import FaceEmbedder
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> model = make_pipeline(FaceEmbedder(no_face="whole"), LogisticRegression())
    """

    def __init__(
        self,
        embedder: str = "dlib",
        *,
        layers: str | Sequence[str] = "final",
        flip: bool = False,
        detector: str = "hog",
        upsample: int | None = None,
        faces: str = "largest",
        no_face: str = "skip",
        device: str = "cpu",
    ) -> None:
        self.embedder = embedder
        self.layers = layers
        self.flip = flip
        self.detector = detector
        self.upsample = upsample
        self.faces = faces
        self.no_face = no_face
        self.device = device

    def fit(self, X: Sequence, y: object = None) -> FaceEmbedder:
        """Find the weights and check the settings; nothing is learnt from ``X``.

        Raises
        ------
        ValueError
            If a setting is unknown or the settings do not go together.
        """
        self._pipeline = FacePipeline(self._config())
        self.spec_ = self._pipeline.table_spec
        self.n_features_out_ = self.spec_.embedder.dimension
        return self

    def transform(self, X: Sequence) -> np.ndarray:
        """Embeddings of photos.

        Parameters
        ----------
        X : sequence of n_samples paths (str or Path) or images
            An image is an array of shape (height, width, 3), uint8, RGB; they may differ in size.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out_), float32
            NaN in rows of images without a usable face.

        Raises
        ------
        faceheads.images.unreadable.UnreadableImage
            If a file cannot be decoded.
        ValueError
            If an element is neither a path nor such an array.
        """
        check_is_fitted(self, "spec_")
        out = np.full((len(X), self.n_features_out_), np.nan, np.float32)
        for i, sample in enumerate(X):
            found = self._ready_pipeline().find_faces([_image_of(sample)])
            vectors = self._ready_pipeline().embed(found)[0]
            if found[0].status is Status.FAILED or isinstance(vectors, str):
                reason = vectors if isinstance(vectors, str) else found[0].reason
                raise RuntimeError(f"Sample {i}: {reason}")
            if vectors is not None:
                out[i] = vectors[0]
        return out

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Column names ``embedding0``, ``embedding1`` … for ``set_output(transform="pandas")``."""
        check_is_fitted(self, "spec_")
        return np.array([f"embedding{i}" for i in range(self.n_features_out_)], dtype=object)

    def _config(self) -> PipelineConfig:
        if self.faces == "all":
            raise ValueError(
                "The 'faces' parameter of FaceEmbedder must be largest, central or only. Got 'all' instead."
            )
        layers = (self.layers,) if isinstance(self.layers, str) else tuple(self.layers)
        settings = {} if self.upsample is None else {"upsample": self.upsample}
        return PipelineConfig(
            embedder=EmbedderRequest(name=self.embedder, layers=layers, flip=self.flip),
            detector=self.detector,
            detector_settings=settings,
            faces=self.faces,
            no_face=self.no_face,
            device=self.device,
        )

    def _ready_pipeline(self) -> FacePipeline:
        if not hasattr(self, "_pipeline"):
            self._pipeline = FacePipeline(self._config())
        return self._pipeline

    def __getstate__(self) -> dict:
        """Everything but the networks, which are loaded again where they are needed."""
        return {name: value for name, value in super().__getstate__().items() if name != "_pipeline"}

    def __sklearn_tags__(self):
        """Paths or images in, not a numeric table; nothing is fitted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        tags.no_validation = True
        tags.requires_fit = True
        return tags


def _image_of(sample: str | Path | np.ndarray) -> np.ndarray:
    if isinstance(sample, (str, Path)):
        return read_image(sample).rgb
    if isinstance(sample, np.ndarray) and sample.ndim == 3:
        check_rgb(sample)
        return sample
    raise ValueError(
        f"Each sample must be a path or an RGB image (height, width, 3) uint8; got {type(sample).__name__}."
    )
