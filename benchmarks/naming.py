"""Names from a gallery: what a threshold of some people does to others, and how the faces of one photo are told apart.

The threshold file is made of LFW's DevTrain people (every pair of their photos), and so is the choice of how people are
assigned to the faces of one photo; the figures are of DevTest's. One photo of each person with two or more is enrolled,
all other photos are searched; people with one photo are strangers. A photo without a face finds nobody.

    python -m benchmarks.naming --data ../shared/data [--cache DIR] [--save_threshold FILE]

``--save_threshold faceheads/data/dlib_threshold.json`` writes the file that ships.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from faceheads.identification.assignment import NOBODY, assign_people
from faceheads.identification.gallery import Gallery
from faceheads.identification.thresholds import DEFAULT_FPIR, threshold_at_fpir
from faceheads.metrics.intervals import Estimate, GroupBootstrap
from faceheads.table import FaceTable
from faceheads.verification.comparisons import Comparisons
from faceheads.verification.identification import search
from faceheads.verification.rules import Request
from faceheads.verification.threshold_file import ThresholdFile, save_threshold
from faceheads.verification.threshold_tuning import tune_threshold

from .arguments import benchmark_parser
from .lfw_people import first_of_many, identities_of, lfw_table, people_of_part
from .report import machine_line, markdown_table

METRIC = "cosine"
#: Of the threshold that the file itself states; others come from its curve.
FMR = 1e-3
#: More than there are pairs of photos.
_ALL_PAIRS = 10_000_000
GALLERY_SIZES = (10, 50, 200, 361)
#: Galleries drawn of each size.
N_DRAWS = 50
FPIRS = (0.1, DEFAULT_FPIR)
#: Where people are assigned; at the high one there is something to decide.
ASSIGNED_FPIRS = (DEFAULT_FPIR, 0.9)
#: Made-up group photos, and the faces in each.
N_PHOTOS, N_FACES = 2000, 8


def main() -> None:
    """Print the tables."""
    args = _arguments()
    table = lfw_table(args.data, args.cache, args.jobs)
    train, test = (table[people_of_part(table, args.data, part)] for part in ("Train", "Test"))
    file = _threshold_file(train)
    print(f"{machine_line()}\n")
    evidence = file.tuned_on
    print(
        f"threshold file: {evidence.n_identities:,} people of DevTrain, {evidence.n_non_mated:,} pairs of two persons; "
        f"FMR {FMR:g} at a {METRIC} similarity of {file.threshold:.4f}, FNMR {_percent(evidence.fnmr)}\n"
    )
    print(
        markdown_table(
            _HEADER, [row for n in GALLERY_SIZES for fpir in FPIRS for row in _searched(test, n, fpir, file)]
        )
    )
    print(
        f"\n{N_PHOTOS:,} made-up photos of {N_FACES} people, half of them enrolled, each person at most once in a photo:\n"
    )
    parts = [(part, some, fpir) for part, some in (("DevTrain", train), ("DevTest", test)) for fpir in ASSIGNED_FPIRS]
    rows = [row for part, some, fpir in parts for row in _assigned(part, some, fpir, file)]
    print(
        markdown_table(("people of", "FPIR asked for", "names given to", "right", "wrong", "missed", "doubled"), rows)
    )
    if args.save_threshold is not None:
        save_threshold(args.save_threshold, file)


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path("demo/lfw"), help="where the feature table is kept")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--save_threshold", type=Path, metavar="FILE")
    return parser.parse_args()


def _threshold_file(train: FaceTable) -> ThresholdFile:
    source = "every pair of photos of LFW's DevTrain people"
    comparisons = Comparisons.from_identities(train, identities_of(train), METRIC, source, max_pairs=_ALL_PAIRS)
    return tune_threshold(comparisons, None, Request("fmr", FMR))


# ---------------------------------------------------------------------------------------------- size of the gallery

_HEADER = ("people enrolled", "FPIR asked for", "threshold", "FPIR", "FNIR", "rank 1")


def _searched(test: FaceTable, n_people: int, fpir: float, file: ThresholdFile) -> list[list[str]]:
    """Searches in galleries of some of the people; those who are not drawn are searched as strangers too."""
    threshold = threshold_at_fpir(file, fpir, n_people)
    who, is_first = identities_of(test), first_of_many(test)
    enrolled = np.flatnonzero(is_first)
    n_draws = 1 if n_people >= len(enrolled) else N_DRAWS
    rng, outcomes = np.random.default_rng(0), {"fpir": [], "fnir": [], "rank 1": []}
    for _ in range(n_draws):
        rows = rng.choice(enrolled, min(n_people, len(enrolled)), replace=False)
        found = search(test.embedding[~is_first], who[~is_first], test.embedding[rows], who[rows], METRIC)
        is_hit = (found.mate_similarity >= threshold) & (found.mate_rank == 1)
        outcomes["fpir"].append((~found.is_mated, found.top_similarity >= threshold))
        outcomes["fnir"].append((found.is_mated, ~is_hit))
        outcomes["rank 1"].append((found.is_mated, found.mate_rank == 1))
    shown = [_percent(_rate(np.array(parts), who[~is_first])) for parts in outcomes.values()]
    return [[f"{min(n_people, len(enrolled)):,}", f"{fpir:.0%}", f"{threshold:.4f}", *shown]]


def _rate(parts: np.ndarray, person: np.ndarray) -> Estimate:
    """The share of searches that count which are so, over all draws; intervals by drawing people.

    ``parts`` has shape (n_draws, 2, n_probes): which searches count, and which of them are so.
    """
    counted = parts[:, 0].sum(axis=0)
    events = (parts[:, 0] & parts[:, 1]).sum(axis=0)
    sums = np.stack([events, counted], axis=1).astype(float)
    return GroupBootstrap(person).of_sums(sums, lambda s: s[:, 0] / s[:, 1], is_proportion=True).estimate()


def _percent(estimate: Estimate) -> str:
    return f"{estimate.value:.2%} ({estimate.low:.2%} to {estimate.high:.2%})"


# ---------------------------------------------------------------------------------------------- faces of one photo


def each_for_itself(similarity: np.ndarray, threshold: float) -> np.ndarray:
    """The most alike person for every face, whoever else was given to whom."""
    first = similarity.argmax(axis=1)
    return np.where(similarity.max(axis=1) >= threshold, first, NOBODY)


def most_alike_first(similarity: np.ndarray, threshold: float) -> np.ndarray:
    """The most alike pair of face and person, then the most alike of the others, and so on."""
    chosen, left = np.full(len(similarity), NOBODY), np.array(similarity, np.float64)
    while left.size and left.max() >= threshold:
        face, person = np.unravel_index(left.argmax(), left.shape)
        chosen[face] = person
        left[face], left[:, person] = -np.inf, -np.inf
    return chosen


RULES: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "each face for itself": each_for_itself,
    "the most alike pair first": most_alike_first,
    "all at once (linear_sum_assignment)": assign_people,
}


def _assigned(part: str, table: FaceTable, fpir: float, file: ThresholdFile) -> list[list[str]]:
    who, is_first = identities_of(table), first_of_many(table)
    gallery = Gallery.of(table.embedding[is_first], who[is_first], METRIC)
    threshold = threshold_at_fpir(file, fpir, gallery.n_photos)
    photos = list(_photos(table, who, is_first))
    similarity = [gallery.similarity(table.embedding[rows]) for rows in photos]
    number = {name: i for i, name in enumerate(gallery.names)}
    truths = [np.array([number.get(name, NOBODY) for name in who[photo]]) for photo in photos]
    rows = []
    for name, rule in RULES.items():
        counts = sum(_outcome(rule(each, threshold), truth) for each, truth in zip(similarity, truths, strict=True))
        rows.append([part, f"{fpir:.0%}", name, *(f"{count:,}" for count in counts)])
    return rows


def _photos(table: FaceTable, who: np.ndarray, is_first: np.ndarray):
    """Rows of photos that are not enrolled, of as many enrolled people as strangers, all different."""
    rng = np.random.default_rng(0)
    usable = np.flatnonzero(table.has_embedding & ~is_first)
    enrolled = np.isin(who[usable], who[is_first])
    for _ in range(N_PHOTOS):
        photo = []
        for some in (usable[enrolled], usable[~enrolled]):
            people = rng.choice(np.unique(who[some].astype(str)), N_FACES // 2, replace=False)
            photo += [rng.choice(some[who[some] == person]) for person in people]
        yield np.array(photo)


def _outcome(named: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Numbers of right names, wrong names, enrolled people without their name, and names given once too often."""
    given = named[named != NOBODY]
    right = (named == truth) & (named != NOBODY)
    missed = (truth != NOBODY) & (named == NOBODY)
    return np.array([right.sum(), len(given) - right.sum(), missed.sum(), len(given) - len(np.unique(given))])


if __name__ == "__main__":
    main()
