"""The pipelines that photos go through before they are compared with a threshold: those that its vectors were made by."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from faceheads.extraction_command import BUILT_IN
from faceheads.joining import join_tables, parts_of_spec
from faceheads.spec import TableSpec
from faceheads.table import FaceRow, FaceTable
from faceheads.verification.bona_fide_head import BonaFideHead
from faceheads.verification.bona_fide_rows import ScoredTable
from faceheads.verification.fusion import fused_table
from faceheads.verification.threshold_file import ThresholdFile

from .options import devices
from .pipeline import FacePipeline
from .pipeline_config import PipelineConfig


def config_of(spec: TableSpec, args: argparse.Namespace) -> PipelineConfig:
    """The pipeline of a specification, but for what the user changed."""
    changes = {"device": devices(args.device)[0], "no_face": "skip"}
    changes |= {name: getattr(args, name) for name in ("detector", "faces") if getattr(args, name) is not None}
    if args.detector not in (None, spec.detector):
        changes["detector_settings"] = {}
        note = f"note: the threshold's errors were measured on faces found by {spec.detector}"
        print(f"{note}; with other detection they may not hold", file=sys.stderr)
    return PipelineConfig.from_spec(spec, args.embedder, **changes)


def configs_of(file: ThresholdFile, args: argparse.Namespace) -> list[PipelineConfig]:
    """The pipelines that the threshold's embeddings came from, one for each table that was fused.

    Raises
    ------
    ValueError
        If there are several and the user changes one.
    """
    parts = parts_of_spec(file.spec)
    if len(parts) > 1 and (args.detector is not None or args.embedder is not None):
        raise ValueError("the threshold is one of several fused tables: leave --detector and --embedder away.")
    return [config_of(part, args) for part in parts]


def configs_of_head(head: BonaFideHead, args: argparse.Namespace) -> list[PipelineConfig]:
    """The pipelines that a bona fide head's embeddings come from; what the user changes is about faces, and not for them."""
    parts = parts_of_spec(head.spec)
    paths = [None if _is_built_in(part) else args.embedder for part in parts]
    device = devices(args.device)[0]
    return [PipelineConfig.from_spec(part, path, device=device) for part, path in zip(parts, paths, strict=True)]


def _is_built_in(spec: TableSpec) -> bool:
    return spec.embedder.weights_sha256 == BUILT_IN.get(spec.embedder.network)


def see_photos(
    photos: Sequence[Path], file: ThresholdFile, configs: Sequence[PipelineConfig], args: argparse.Namespace
) -> tuple[FaceTable, np.ndarray | None]:
    """Photos as a threshold takes them.

    Parameters
    ----------
    photos : sequence of Path
    file : ThresholdFile
    configs : sequence of PipelineConfig
        As :func:`configs_of` gives them.
    args : Namespace
        Device, and the path of an embedder that is not built in.

    Returns
    -------
    faces : FaceTable
        A row for each photo, in order.
    bona_fide : ndarray of shape (n_photos,), float64, or None
        Bona fide scores, where the threshold has a check; NaN for photos without a vector.

    Raises
    ------
    ThresholdError
        If the pipelines make other embeddings than those of the threshold.
    """
    faces = fused_table([_rows(FacePipeline(config), photos) for config in configs])
    file.check_spec(faces.spec)
    if file.check is None:
        return faces, None
    head = file.check.head
    looked_at = join_tables([_rows(FacePipeline(config), photos) for config in configs_of_head(head, args)])
    scored = ScoredTable.of(faces, looked_at, head)
    return scored.table, scored.bona_fide


def _rows(pipeline: FacePipeline, photos: Sequence[Path]) -> FaceTable:
    """A row for each photo, with its face where one was found."""
    rows = [replace(_row(pipeline, path), path=f"{i}") for i, path in enumerate(photos)]
    n_landmarks = max(len(row.landmarks_xy) if row.status.has_embedding else 0 for row in rows)
    return FaceTable.from_rows(rows, n_landmarks, pipeline.table_spec)


def _row(pipeline: FacePipeline, path: Path) -> FaceRow:
    row = pipeline.rows_of(path.parent, [path.name])[0]
    if row.n_faces > 1:
        kept = pipeline.config.faces
        print(f"note: {path} has {row.n_faces} faces; the {kept} one is compared", file=sys.stderr)
    return row
