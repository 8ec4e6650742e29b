"""Which layers of the dlib network know age, gender and race: ``--layers attributes`` beside others.

Uses the training part of UTKFace only (see the split in ``faceheads.splits``): ridge regressions on standardised layers,
cross-validated over groups of equal images. Faces that no detector finds are taken whole and count.

    python -m benchmarks.layer_choice --data ../shared/data [--images 4000]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from faceheads.datasets import open_dataset
from faceheads.labels import labels_for
from faceheads.networks.dlib_resnet_layers import layer_dimension
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.splits import grouped_folds, make_groups, split_by_content
from faceheads.table_io import read_table
from features.embed import LAYER_PRESETS, EmbedderRequest
from features.extract import Extraction
from features.pipeline_config import PipelineConfig

from .arguments import benchmark_parser
from .report import machine_line, markdown_table

SINGLE = [f"block{i:02d}" for i in (3, 5, 7, 9, 10, 11, 12, 13, 14)]
SPATIAL = ["block10@2x2", "block12@2x2", "block14@2x2"]
SETS = [
    ("final",),
    *((name,) for name in SINGLE + SPATIAL),
    ("block07", "block10", "block14"),
    (*SINGLE[2:], "final"),
    ("block12@2x2", "final"),
    ("block14@2x2", "final"),
    LAYER_PRESETS["dlib"]["attributes"],
    (*SPATIAL, "final"),
]
LAYERS = ("final", *SINGLE, *SPATIAL)
PENALTIES = (100.0, 1000.0)
N_FOLDS = 4


def main() -> None:
    """Print the table of layers."""
    args = _arguments()
    set_passive_wait()
    dataset = open_dataset(args.data / "utkface" / "UTKFace", "utkface")
    config = PipelineConfig(EmbedderRequest(layers=LAYERS, flip=True), no_face="whole")
    images = dataset.images[:: max(1, len(dataset.images) // args.images)]
    output = args.cache / f"layers-{len(images)}.parquet"
    Extraction(dataset.root, images, config, output, resolve_jobs(args.jobs)).run()
    table = read_table(output)
    labels = labels_for(table, dataset.labels, allow_missing=True)
    part = split_by_content(list(table.sha256), labels[["age", "gender", "race"]])
    rows = table.has_embedding & (part == "train") & labels["age"].notna().to_numpy()
    table, labels = table[rows], labels[rows]
    folds = grouped_folds(make_groups(list(table.sha256)), N_FOLDS, seed=0)
    targets = _targets(labels)
    print(f"{machine_line()}\n\n{len(table)} faces of UTKFace's training part, {N_FOLDS} folds, ridge regression\n")
    lines = [[", ".join(layers), *_scores(_columns(table.embedding, layers), targets, folds)] for layers in SETS]
    print(markdown_table(["layers", "numbers", "age MAE", "gender", "race"], lines))


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path("demo/layers"), help="where the feature table is kept")
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--jobs", type=int)
    return parser.parse_args()


def _targets(labels) -> np.ndarray:
    """Columns: age, gender as ±1, race one-hot."""
    gender = np.where(labels["gender"] == "male", 1.0, -1.0)
    race = np.array([labels["race"] == name for name in sorted(labels["race"].unique())], float)
    return np.column_stack([labels["age"].to_numpy(float), gender, race.T])


def _columns(embeddings: np.ndarray, layers: tuple[str, ...]) -> np.ndarray:
    ends = np.cumsum([layer_dimension(name) for name in LAYERS])
    place = {name: slice(end - layer_dimension(name), end) for name, end in zip(LAYERS, ends, strict=True)}
    return np.concatenate([embeddings[:, place[name]] for name in layers], axis=1).astype(np.float64)


def _scores(x: np.ndarray, y: np.ndarray, folds: list) -> list:
    """Dimension and, each at its best penalty, age MAE, gender and race accuracy."""
    guesses = np.empty((len(PENALTIES), *y.shape))
    for train, test in folds:
        mean, scale = x[train].mean(axis=0), x[train].std(axis=0) + 1e-6
        a, b = (x[train] - mean) / scale, (x[test] - mean) / scale
        centre = y[train].mean(axis=0)
        gram, moment = a.T @ a, a.T @ (y[train] - centre)
        for k, penalty in enumerate(PENALTIES):
            guesses[k, test] = b @ np.linalg.solve(gram + penalty * np.eye(len(gram)), moment) + centre
    age = np.abs(guesses[..., 0] - y[:, 0]).mean(axis=1).min()
    gender = ((guesses[..., 1] > 0) == (y[:, 1] > 0)).mean(axis=1).max()
    race = (guesses[..., 2:].argmax(axis=2) == y[:, 2:].argmax(axis=1)).mean(axis=1).max()
    return [x.shape[1], f"{age:.2f}", f"{gender:.1%}", f"{race:.1%}"]


if __name__ == "__main__":
    main()
