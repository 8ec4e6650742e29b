"""Verification that knows of deepfakes, as the Kryptonite challenge measures it, on fakes made of LFW's View 1.

Real and fake images pass through the same crop, resampling and JPEG. Everything is fitted to DevTrain people and fakes of one
kind (``--seen``) and reported on DevTest people: eer_real, mated pairs against pairs of two persons, and eer_fake, the same
mated pairs against fakes with photos of the person they claim to be. A set of fakes counts when 60 % of its comparisons pass
at the plain similarity's threshold of FMR 1e-2, found on DevTrain.

    python -m benchmarks.kryptonite_like --data ../shared/data [--feature TABLE] [--cache DIR] [--seen poisson] [--jobs 2]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from faceheads.labels import labels_for, read_labels
from faceheads.networks.dlib_resnet_layers import EMBEDDING_DIMENSION
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.table import FaceTable
from faceheads.table_io import read_table
from faceheads.verification.bona_fide import BonaFideMatch
from faceheads.verification.error_rates import ErrorCurve
from faceheads.verification.kinds import errors_by_kind
from faceheads.verification.rules import Request
from faceheads.verification.trials import Trials
from features.embed import EmbedderRequest
from features.extract import Extraction
from features.pipeline_config import PipelineConfig
from finetune.fake_plan import REAL
from finetune.image_job import LABELS

from .lfw_fakes import PARTS, eer_cells, eer_header, fake_trials, fakes_parser, make_images
from .report import machine_line, markdown_table

#: Early layers of the embedding network, in cells, and the embedding itself, which is last.
LAYERS = ("block03@5x5", "block07@4x4", "block10@2x2", "final")
CONFIGS = {
    "dlib": PipelineConfig(EmbedderRequest(layers=LAYERS), "hog", faces="central"),
    "spectrum": PipelineConfig(EmbedderRequest("spectrum"), "none"),
}
#: Strength of the heads' penalty, chosen by cross-validation over DevTrain people.
HEAD_C = {"frozen layers": 1e-3, "spectrum": 3e-2}
#: Plain similarity's threshold, and the share of fakes that must pass it.
PASS_FMR, PASS_SHARE = 1e-2, 0.6


@dataclass(frozen=True)
class Part:
    """The images of DevTrain or DevTest people, real and fake.

    Attributes
    ----------
    table : FaceTable
        Frozen layers.
    features : mapping of str to ndarray of shape (n_rows, …)
        What heads see, NaN without a face.
    labels : DataFrame of n_rows rows
    trials : Trials
        Kinds are the generators.
    """

    table: FaceTable
    features: dict[str, np.ndarray]
    labels: pd.DataFrame
    trials: Trials


def main() -> None:
    """Print eer_real and eer_fake of the plain similarity and of the scores that know of fakes."""
    args = fakes_parser(__doc__, "demo/kryptonite_like").parse_args()
    set_passive_wait()
    start = time.perf_counter()
    train, test = (_part(name, args) for name in PARTS)
    print(f"{machine_line()}\n")
    threshold = _report_passing(train, test)
    rows = [["similarity alone", *eer_cells(test.trials)]]
    for name in HEAD_C:
        rows += _rows_of_head(name, train, test, args.seen)
    print(f"\nDevTest, 95 % intervals; threshold of FMR {PASS_FMR:g} on DevTrain {threshold:.4f}\n")
    print(markdown_table(["score", *eer_header(args.seen)], rows))
    print(f"\nall in {time.perf_counter() - start:.0f} s")


# ------------------------------------------------------------------------------------------------- images and vectors


def _part(name: str, args: argparse.Namespace) -> Part:
    folder = make_images(name, args)
    tables = {key: _extracted(folder, args.cache / f"{folder.name}_{key}.parquet", key, args.jobs) for key in CONFIGS}
    table, labels = tables["dlib"], labels_for(tables["dlib"], read_labels(folder / LABELS))
    early = table.embedding[:, :-EMBEDDING_DIMENSION]
    row_of = pd.Series(np.arange(len(tables["spectrum"])), index=tables["spectrum"].path)
    features = {"frozen layers": early, "spectrum": tables["spectrum"].embedding[row_of[table.path]]}
    table = replace(table, embedding=table.embedding[:, -EMBEDDING_DIMENSION:], spec=None)
    return Part(table, features, labels, fake_trials(table, labels, seed=len(name)))


def _extracted(folder: Path, output: Path, key: str, jobs: int | None) -> FaceTable:
    images = list(read_labels(folder / LABELS).index)
    Extraction(folder, images, CONFIGS[key], output, resolve_jobs(jobs)).run()
    return read_table(output)


# ------------------------------------------------------------------------------------------------- heads


def _rows_of_head(name: str, train: Part, test: Part, seen: str) -> list[list[str]]:
    """The head alone and both ways to fuse it with the similarity."""
    head = make_pipeline(StandardScaler(), LogisticRegression(C=HEAD_C[name], max_iter=300, class_weight="balanced"))
    train_scores, fitted = _out_of_fold(head, train.features[name], train.labels)
    test_scores = _decisions(fitted, test.features[name])
    columns, made = _columns(train.trials, train_scores), train.trials.is_acquired
    is_mated, weight = train.trials.is_mated[made], _equal_kinds(train.trials[made], seen)
    rows = []
    for how, fusion in (("weighted sum", LogisticRegression(C=1e6)), ("BonaFideMatch", BonaFideMatch())):
        fused = clone(fusion).fit(columns[made], is_mated, sample_weight=weight)
        scored = _with_scores(test.trials, fused.decision_function, _columns(test.trials, test_scores))
        rows.append([f"{how} with a head on {name}", *eer_cells(scored)])
    return rows


def _out_of_fold(head: BaseEstimator, X: np.ndarray, labels: pd.DataFrame) -> tuple[np.ndarray, BaseEstimator]:
    """Bona-fide scores of every row by heads fitted to other people, and a head fitted to all."""
    known = np.flatnonzero(np.isfinite(X).all(axis=1))
    is_real, people = (labels["generator"] == REAL).to_numpy(), labels["identity"].to_numpy()
    scores = np.full(len(X), np.nan)
    for rest, held in GroupKFold(4).split(known, groups=people[known]):
        rows = known[rest]
        scores[known[held]] = clone(head).fit(X[rows], is_real[rows]).decision_function(X[known[held]])
    return scores, clone(head).fit(X[known], is_real[known])


def _decisions(head: BaseEstimator, X: np.ndarray) -> np.ndarray:
    scores = np.full(len(X), np.nan)
    known = np.isfinite(X).all(axis=1)
    scores[known] = head.decision_function(X[known])
    return scores


def _columns(trials: Trials, scores: np.ndarray) -> np.ndarray:
    """Similarity and the two bona-fide scores of each comparison, shape (n_trials, 3)."""
    return np.column_stack([trials.similarity, scores[trials.probe], scores[trials.reference]])


def _equal_kinds(trials: Trials, seen: str) -> np.ndarray:
    """Weights: half for mated pairs, a quarter each for pairs of two persons and pairs with a fake."""
    is_fake = trials.kind == seen
    parts = [(trials.is_mated, 0.5), (~trials.is_mated & ~is_fake, 0.25), (is_fake, 0.25)]
    return sum(chosen * share / max(chosen.sum(), 1) for chosen, share in parts)


def _with_scores(trials: Trials, score: Callable[[np.ndarray], np.ndarray], columns: np.ndarray) -> Trials:
    made = trials.is_acquired
    similarity = np.full(len(trials), np.nan)
    similarity[made] = score(columns[made])
    return replace(trials, similarity=similarity)


# ------------------------------------------------------------------------------------------------- report


def _report_passing(train: Part, test: Part) -> float:
    """Print which share of the fakes pass the plain similarity; returns the threshold."""
    real = train.trials[train.trials.kind == REAL].made
    threshold = Request("fmr", PASS_FMR).find(ErrorCurve.from_similarities(real.similarity, real.is_mated))
    rows = []
    for kind in errors_by_kind(test.trials, threshold):
        n_all = kind.n_non_mated + kind.n_non_mated_lost
        share = kind.fmr.value * kind.n_non_mated / n_all  # a fake without a face does not pass
        verdict = "" if kind.kind == REAL else ("counts" if share >= PASS_SHARE else "does not count")
        rows.append([kind.kind, n_all, kind.n_non_mated_lost, f"{share:.1%}", verdict])
    print(markdown_table(["non-mated pairs of DevTest", "n", "lost", "pass at FMR 1e-2 of DevTrain", ""], rows))
    return threshold


if __name__ == "__main__":
    main()
