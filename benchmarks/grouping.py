"""Unknown faces grouped by person, on LFW: methods and thresholds chosen on DevTrain's people, figures of DevTest's.

Photos without a face are groups of their own. LFW has one person a photo; to see what it is worth to know that two faces
of one photo are two people, photos are also dealt at random into made-up ones of four different people.

    python -m benchmarks.grouping --data ../shared/data [--cache DIR] [--n_faces 20000]

``--n_faces`` also groups so many made-up faces, in a process of its own, for time and memory; 0 leaves it out.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import DBSCAN

from faceheads.identification.agreement import Agreement, agreement
from faceheads.identification.grouping import group_faces
from faceheads.identification.thresholds import default_threshold_path, threshold_at_fmr
from faceheads.metrics.intervals import Estimate
from faceheads.table import FaceTable
from faceheads.verification.similarity import prepared
from faceheads.verification.threshold_file import load_threshold

from .arguments import benchmark_parser
from .lfw_people import identities_of, lfw_table, people_of_part
from .report import machine_line, markdown_table

#: Thresholds that are tried, by their FMR on DevTrain.
FMRS = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
N_FACES_A_PHOTO = 4
_DIMENSION, _NOISE = 128, 0.35
#: Photos of each made-up person: few, and many, which takes longest.
PHOTOS_A_PERSON = (10, 100)


# ------------------------------------------------------------------------------------------------- other methods


def components(vectors: np.ndarray, photo: np.ndarray, threshold: float) -> np.ndarray:
    """Single linkage: whoever is joined by a chain of pairs that are alike."""
    one, other, _ = _pairs(vectors, photo, threshold)
    return connected_components(coo_array((np.ones(len(one)), (one, other)), (len(vectors),) * 2), directed=False)[1]


def dbscan(vectors: np.ndarray, photo: np.ndarray, threshold: float) -> np.ndarray:
    """scikit-learn's DBSCAN with three faces for a core; what it calls noise is a group of its own."""
    labels = DBSCAN(eps=np.sqrt(2 - 2 * threshold), min_samples=3).fit_predict(vectors)
    labels[labels < 0] = labels.max() + 1 + np.arange((labels < 0).sum())
    return labels


def chinese_whispers(vectors: np.ndarray, photo: np.ndarray, threshold: float, n_rounds: int = 20) -> np.ndarray:
    """Every face takes the label that its alike faces have, weighted by similarity, in random order (Biemann 2006)."""
    one, other, similarity = _pairs(vectors, photo, threshold)
    order = np.argsort(one, kind="stable")
    one, other, similarity = one[order], other[order], similarity[order]
    starts = np.searchsorted(one, np.arange(len(vectors) + 1))
    labels, rng = np.arange(len(vectors)), np.random.default_rng(0)
    for _ in range(n_rounds):
        for face in rng.permutation(np.flatnonzero(np.diff(starts))):
            near = slice(starts[face], starts[face + 1])
            names, at = np.unique(labels[other[near]], return_inverse=True)
            labels[face] = names[np.bincount(at, similarity[near]).argmax()]
    return labels


def _pairs(vectors: np.ndarray, photo: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    similarity = vectors @ vectors.T
    similarity[photo[:, None] == photo[None, :]] = -1
    one, other = np.nonzero(similarity >= threshold)
    return one, other, similarity[one, other]


METHODS: dict[str, Callable[[np.ndarray, np.ndarray, float], np.ndarray]] = {
    "average linkage, cannot-link": lambda v, photo, t: group_faces(v, photo, "cosine", t),
    "average linkage": lambda v, photo, t: group_faces(v, np.arange(len(v)), "cosine", t),
    "Chinese whispers": chinese_whispers,
    "DBSCAN": dbscan,
    "connected components": components,
}


# ------------------------------------------------------------------------------------------------- LFW


def main() -> None:
    """Print the tables."""
    args = _arguments()
    if args.scale:
        _scale(*args.scale)
        return
    table = lfw_table(args.data, args.cache, args.jobs)
    train, test = (table[people_of_part(table, args.data, part)] for part in ("Train", "Test"))
    print(f"{machine_line()}\n")
    chosen = {}
    for name, (deal, methods) in _PHOTOS.items():
        rows = []
        for method in methods:
            scores = {fmr: _grouped(method, train, deal(train), fmr).b_cubed_f.value for fmr in FMRS}
            chosen[name, method] = max(scores, key=scores.get)
            rows.append([method, *(f"{100 * score:.2f}" for score in scores.values())])
        print(f"DevTrain, {name}: B-cubed F in % by the FMR of the threshold\n")
        print(markdown_table(["method", *(f"{fmr:g}" for fmr in FMRS)], rows) + "\n")
    print("DevTest, each method with its threshold of DevTrain, % (95 % interval)\n")
    rows = []
    for (name, method), fmr in chosen.items():
        rows.append([name, method, f"{fmr:g}", *_figures(_grouped(method, test, _PHOTOS[name][0](test), fmr))])
    print(markdown_table(_HEADER, rows))
    if args.n_faces:
        print(f"\n{args.n_faces:,} made-up faces, each in a process of its own\n")
        rows = [[f"{n:,}", *_measured(args.n_faces, n)] for n in PHOTOS_A_PERSON]
        print(markdown_table(["photos a person", "seconds", "most memory of the process, GiB", "B-cubed F, %"], rows))


_HEADER = (
    "photos", "method", "FMR", "B-cubed F", "precision", "recall", "pairwise F", "people", "groups"
)  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path("demo/lfw"), help="where the feature table is kept")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--n_faces", type=int, default=20_000)
    parser.add_argument("--scale", type=int, nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def _alone(table: FaceTable) -> np.ndarray:
    return np.arange(len(table))


def _dealt(table: FaceTable) -> np.ndarray:
    """Made-up photos of some faces each, none of them of one person: people are dealt out one after the other."""
    rng, who = np.random.default_rng(0), identities_of(table)
    people = rng.permutation(np.unique(who.astype(str)))
    order = np.concatenate([rng.permutation(np.flatnonzero(who == person)) for person in people])
    photo = np.empty(len(table), np.int64)
    photo[order] = np.arange(len(table)) % -(-len(table) // N_FACES_A_PHOTO)
    return photo


#: How faces come in photos, and what is compared there; without photos of several faces cannot-link says nothing.
_PHOTOS = {
    "one face a photo": (_alone, [name for name in METHODS if "cannot-link" not in name]),
    f"{N_FACES_A_PHOTO} faces a photo": (_dealt, [name for name in METHODS if "average" in name]),
}


def _grouped(method: str, table: FaceTable, photo: np.ndarray, fmr: float) -> Agreement:
    threshold = threshold_at_fmr(load_threshold(default_threshold_path()), fmr)
    made = table.has_embedding
    group = np.arange(len(table)) + len(table)  # a face that was not found is alone
    group[made] = METHODS[method](prepared(table.embedding[made], "cosine"), photo[made], threshold)
    return agreement(group, identities_of(table))


def _figures(found: Agreement) -> list[str]:
    estimates = (found.b_cubed_f, found.b_cubed_precision, found.b_cubed_recall, found.pairwise_f)
    return [*map(_percent, estimates), f"{found.n_people:,}", f"{found.n_groups:,}"]


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


# ------------------------------------------------------------------------------------------------- time and memory


def _measured(n_faces: int, photos_a_person: int) -> list[str]:
    command = [sys.executable, "-m", "benchmarks.grouping", "--scale", str(n_faces), str(photos_a_person)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def _scale(n_faces: int, photos_a_person: int) -> None:
    """Group made-up faces, and print seconds, the most memory of this process in GiB, and the B-cubed F in %."""
    rng = np.random.default_rng(0)
    person = np.arange(n_faces) // photos_a_person
    vectors = rng.standard_normal((person[-1] + 1, _DIMENSION), np.float32)[person]
    vectors += np.float32(_NOISE) * rng.standard_normal(vectors.shape, np.float32)
    start = time.perf_counter()
    found = agreement(group_faces(vectors, np.arange(n_faces), "cosine", 0.6), person)
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{seconds:.1f} {memory:.2f} {100 * found.b_cubed_f.value:.2f}")


if __name__ == "__main__":
    main()
