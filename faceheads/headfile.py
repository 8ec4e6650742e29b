"""The heads of one file, and the embeddings that they may be given."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from .extraction_command import extraction_command
from .fitted_head import Head
from .prediction import Prediction
from .spec import EmbedderSpec, TableSpec
from .versions import software_versions


class HeadError(ValueError):
    """A head file cannot be used, or not for these embeddings; the message says why and what to do."""


class HeadWarning(UserWarning):
    """A head can be used, but its measured errors may not hold."""


@dataclass(frozen=True, eq=False)
class HeadFile:
    """The heads of one file.

    Attributes
    ----------
    heads : tuple of Head
    table_spec : TableSpec or None
        How the table they learned from was made; None for a CSV of other software.
    golden_inputs : ndarray of shape (n_golden, dimension), float32
        Made-up embeddings.
    training : mapping
        Hash of the training data, split and seed, as JSON values.
    versions : mapping of str to str
        Software that wrote the file.
    """

    heads: tuple[Head, ...]
    table_spec: TableSpec | None
    golden_inputs: np.ndarray
    training: Mapping = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def dimension(self) -> int:
        """Length of the embeddings that the heads take."""
        return self.golden_inputs.shape[1]

    @property
    def targets(self) -> tuple[str, ...]:
        """Everything that is predicted, in the order of :meth:`predict`."""
        return tuple(column for head in self.heads for column in head.target.columns)

    def check_spec(self, spec: TableSpec | EmbedderSpec | None) -> None:
        """Raise unless embeddings of ``spec`` are what the heads learned from; warn when another detector found the faces.

        Raises
        ------
        HeadError
            If the embedder differs or is unknown; the message holds the command that extracts again.
        """
        if spec is None and self.table_spec is None:
            return
        if spec is None or self.table_spec is None:
            raise HeadError(self._explain_unknown(spec))
        if spec.embedder_digest != self.table_spec.embedder_digest:
            raise HeadError(
                f"The heads need embeddings {self.table_spec.embedder_digest}; these are {spec.embedder_digest}. "
                f"Extract again with: {extraction_command(self.table_spec)}"
            )
        if isinstance(spec, TableSpec) and spec.detection_digest != self.table_spec.detection_digest:
            warnings.warn(
                f"The heads learned from faces found by {_detection_words(self.table_spec)}, these were found by "
                f"{_detection_words(spec)}: their measured errors may not hold.",
                HeadWarning,
                stacklevel=2,
            )

    def _explain_unknown(self, spec: TableSpec | EmbedderSpec | None) -> str:
        if spec is None:
            return (
                "These embeddings come without a specification, so nobody can tell whether the heads fit them. "
                f"Extract again with: {extraction_command(self.table_spec)}"
            )
        return (
            "The heads were trained on a table without a specification (a CSV of other software), so nobody can tell "
            "whether these embeddings fit. Train again on a table that feature_extraction.py wrote."
        )

    def predict(self, embeddings: np.ndarray, spec: TableSpec | EmbedderSpec | None) -> list[Prediction]:
        """Predictions of all heads for every face.

        Parameters
        ----------
        embeddings : array of shape (n_faces, dimension), float32
            Finite.
        spec : TableSpec, EmbedderSpec or None
            How the embeddings were made. None only fits heads that were trained on a table without one.

        Returns
        -------
        list of Prediction, one for each of :attr:`targets`

        Raises
        ------
        HeadError
            If the embeddings are not what the heads learned from.
        """
        embeddings = np.asarray(embeddings, np.float32)
        if embeddings.ndim != 2 or embeddings.shape[1] != self.dimension:
            raise HeadError(
                f"embeddings must have the shape (n_faces, {self.dimension}); got {embeddings.shape}."
                + (f" Extract again with: {extraction_command(self.table_spec)}" if self.table_spec else "")
            )
        self.check_spec(spec)
        if not np.isfinite(embeddings).all():
            raise HeadError("embeddings must be finite; leave out the rows of a table that have none.")
        if not len(embeddings):  # scikit-learn takes no empty input
            return [p for head in self.heads for p in _without_rows(head.predict(self.golden_inputs[:1]))]
        return [p for head in self.heads for p in head.predict(embeddings, self.limits(head, embeddings))]

    def limits(self, head: Head, embeddings: np.ndarray) -> np.ndarray | None:
        """Thresholds of single faces, shape (n_faces,), for a head that has them by cohort; else None."""
        if head.by_cohort is None:
            return None
        cohort_head = next(other for other in self.heads if other.target.name == head.by_cohort.target)
        return head.by_cohort.limits(cohort_head.raw(embeddings))

    def select(self, targets: list[str]) -> HeadFile:
        """The same file with the heads of some targets only; a multi-label head is kept when one of its columns is asked.

        A head that predicts the cohorts of a kept one is kept too.

        Raises
        ------
        HeadError
            If a target does not exist.
        """
        missing = [t for t in targets if t not in self.targets]
        if missing:
            raise HeadError(f"The file predicts {list(self.targets)}; it has no {missing}.")
        asked = [head for head in self.heads if set(head.target.columns) & set(targets)]
        needed = {head.by_cohort.target for head in asked if head.by_cohort is not None}
        return replace(self, heads=tuple(h for h in self.heads if h in asked or h.target.name in needed))


def _without_rows(predictions: list[Prediction]) -> list[Prediction]:
    columns = ("probabilities", "value", "is_unsure")
    return [replace(p, **{name: getattr(p, name)[:0] for name in columns}) for p in predictions]


def _detection_words(spec: TableSpec) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in sorted(spec.detector_settings.items()))
    return f"{spec.detector}" + (f" ({settings})" if settings else "") + f", {spec.faces} face"
