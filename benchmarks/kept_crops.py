"""Faces that were cut out once and are embedded by one network after the other: what benchmarks of finetuning share."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.labels import default_label_path, labels_for, read_labels, write_labels
from faceheads.pool import resolve_jobs
from faceheads.samples import Samples, drop_conflicts, group_samples, join_labels, split_samples, take_rows
from faceheads.table import FaceTable
from faceheads.table_io import read_table, write_table
from features.cli import extract_main
from features.embed import EmbedderRequest
from features.extract import Extraction
from features.pipeline_config import PipelineConfig
from finetune.cli import finetune_main
from finetune.crop_file import CropFile, pack_crops
from finetune.session import EMBEDDER

from .arguments import benchmark_parser

#: Frozen, with what ``--layers attributes`` stands for, on faces of the CNN detector; photos without one whole.
UTKFACE_OPTIONS = ("--detector", "cnn", "--layers", "attributes", "--no_face", "whole")


@dataclass(frozen=True, eq=False)
class KeptCrops:
    """A feature table with its labels and the crops that it was made of.

    Attributes
    ----------
    feature, folder : Path
        The table, and the crops as ``python -m finetune`` takes them.
    table : FaceTable
    labels : DataFrame
    crops : CropFile
    """

    feature: Path
    folder: Path
    table: FaceTable
    labels: pd.DataFrame
    crops: CropFile

    @classmethod
    def read(cls, feature: Path, folder: Path, jobs: int | None) -> KeptCrops:
        """What ``feature_extraction.py --save_crops`` left; the crops are packed as ``python -m finetune`` does."""
        table = read_table(feature)
        packed = pack_crops(folder, table, folder.with_name(f"{folder.name}.npy"), resolve_jobs(jobs))
        return cls(feature, folder, table, read_labels(default_label_path(feature)), packed)

    def rows_of(self, part: str) -> np.ndarray:
        """Positions of the rows that the label column ``split`` puts into a part, int64."""
        split = labels_for(self.table, self.labels, allow_missing=True)["split"]
        return np.flatnonzero((split == part).to_numpy())

    def embedded(self, request: EmbedderRequest, rows: np.ndarray | slice = slice(None)) -> FaceTable:
        """Rows of the table with the embeddings of another network; rows without a face stay without."""
        embedder, table = request.build(), self.table[rows]
        position = {key: row for row, key in enumerate(self.crops.keys)}
        found = [position[key] for key in table.keys[table.has_embedding]]
        embedding = np.full((len(table), embedder.spec.dimension), np.nan, np.float32)
        embedding[table.has_embedding] = embedder.embed(self.crops.pixels[found])
        return replace(table, embedding=embedding, spec=table.spec.with_embedder(embedder.spec))


def utkface_parser(module_doc: str, cache: str) -> argparse.ArgumentParser:
    """A parser with ``--data``, and with ``--feature`` and ``--crops`` for an extraction that is there already."""
    parser = benchmark_parser(module_doc)
    parser.add_argument("--cache", type=Path, default=Path(cache), help="where all is kept (default: %(default)s)")
    parser.add_argument("--feature", type=Path, help="table of UTKFace made with --save_crops (default: made anew)")
    parser.add_argument("--crops", type=Path, help="the crops of that table")
    parser.add_argument("--jobs", type=int)
    return parser


def utkface_crops(args: argparse.Namespace) -> KeptCrops:
    """UTKFace's faces, found by the CNN detector and cut out unless ``--feature`` names a table."""
    if args.feature is not None:
        return KeptCrops.read(args.feature, args.crops, args.jobs)
    feature, folder = args.cache / "utkface.parquet", args.cache / "utkface_crops"
    where = ["--data_dir", str(args.data / "utkface"), "--save_feature", str(feature), "--save_crops", str(folder)]
    if extract_main([*where, *UTKFACE_OPTIONS]) != 0:
        raise SystemExit("The photos could not be extracted.")
    return KeptCrops.read(feature, folder, args.jobs)


def pooled_crops(
    folders: Mapping[str, tuple[Path, Sequence[str]]],
    labels: pd.DataFrame,
    config: PipelineConfig,
    cache: Path,
    jobs: int,
) -> KeptCrops:
    """Faces of the images of several folders as one table, each path behind the name of its folder.

    Parameters
    ----------
    folders : mapping of str to (root, images)
    labels : DataFrame
        Index = the paths with the names before them.
    config : PipelineConfig
    cache : Path
    jobs : int
    """
    tables = []
    for name, (root, images) in folders.items():
        output = cache / f"{name}.parquet"
        Extraction(root, images, config, output, jobs, crop_folder=cache / "crops" / name).run()
        table = read_table(output)
        tables.append(replace(table, path=np.array([f"{name}/{path}" for path in table.path], object)))
    feature = cache / "pooled.parquet"
    write_table(feature, FaceTable.concatenate(tables))
    write_labels(default_label_path(feature), labels)
    return KeptCrops.read(feature, cache / "crops", jobs)


def content_split(table: FaceTable, labels: pd.DataFrame, columns: Sequence[str]) -> Samples:
    """Samples that have all of these labels, in the parts of UTKFace's shared split, as ``--split content`` makes them."""
    samples = drop_conflicts(join_labels(table, labels), columns)
    is_known = samples.labels[list(columns)].notna().all(axis=1).to_numpy()
    samples = take_rows(samples, is_known, "rows without a label were left out")
    return split_samples(group_samples(samples, "content"), "content")


def train(options: dict[str, object], out: Path) -> Path:
    """Run ``python -m finetune`` unless ``out`` holds its network already; the folder of the network.

    ``options`` are those of the command without their dashes.
    """
    folder = out / EMBEDDER
    if not folder.is_dir():
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        if finetune_main([*words, "--out", str(out)]) != 0:
            raise SystemExit(f"The training in {out} failed.")
    return folder
