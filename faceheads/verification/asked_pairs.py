"""The comparisons that the options of ``verify.py`` ask for, of one set of people or of two."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..datasets.pairs import read_pairs
from ..labels import read_labels
from ..splits import TRAIN, grouped_split
from ..table import FaceTable
from .comparisons import Comparisons
from .identities import labelled_identities
from .pairing import MAX_PAIRS
from .trials import FAKE

#: The word for identities that are the folders of the images.
FOLDER = "folder"
_KIND, _SOURCE = "kind", "source"


def compare(
    args: argparse.Namespace, table: FaceTable, metric: str, is_tuned: bool = False
) -> tuple[Comparisons, Comparisons | None]:
    """Comparisons to report on, and those of other people to find a threshold on."""
    if args.pairs is None:
        return _compare_identities(args, table, metric, is_tuned)
    pairs = listed_pairs(args)
    identities = None if args.identity is None else _labelled(args, table).identity
    both = Comparisons.from_pairs(table, pd.concat(pairs, ignore_index=True), metric, args.pairs.name, identities)
    listed = both[np.arange(len(pairs[0]))]
    if not is_tuned:
        return listed, None
    if args.tune_pairs is not None:
        return listed, replace(both[np.arange(len(pairs[0]), len(both))], source=args.tune_pairs.name)
    tuned, reported = listed.split_people(args.tune_share, args.seed)
    return reported, tuned


def listed_pairs(args: argparse.Namespace) -> list[pd.DataFrame]:
    """The lists that the options name: to report on and, where there is one, to tune on."""
    columns = None if args.pair_columns is None else tuple(args.pair_columns.split(","))
    if columns is not None and len(columns) != 3:
        raise ValueError(f"--pair_columns must name three columns, PROBE,REFERENCE,TRUTH; got {args.pair_columns!r}.")
    return [read_pairs(path, columns=columns) for path in (args.pairs, args.tune_pairs) if path is not None]


def _compare_identities(
    args: argparse.Namespace, table: FaceTable, metric: str, is_tuned: bool
) -> tuple[Comparisons, Comparisons | None]:
    if args.tune_pairs is not None:
        raise ValueError("--tune_pairs goes with --pairs; with --identity alone people are split (--tune_share).")
    labelled = _labelled(args, table)
    identities = labelled.identity
    n_pairs = MAX_PAIRS if args.max_pairs == "all" else _positive(args.max_pairs)
    parts = [identities]
    if is_tuned:
        names = sorted(set(identities) - {""})
        side = dict(zip(names, grouped_split(names, 1 - args.tune_share, args.seed), strict=True))
        is_first = np.array([side.get(name) == TRAIN for name in identities])
        parts = [np.where(is_first, "", identities), np.where(is_first, identities, "")]
    source = f"pairs of {args.feature.name} by {Path(args.identity).name}"
    made = [
        labelled.without_own_photos(
            Comparisons.from_identities(table, part, metric, source, n_pairs, args.seed, labelled.is_fake)
        )
        for part in parts
    ]
    return made[0], made[1] if is_tuned else None


@dataclass(frozen=True, eq=False)
class _Labelled:
    """What labels say of the rows of a table.

    Attributes
    ----------
    identity : ndarray of shape (n_rows,), object (str)
    is_fake : ndarray of shape (n_rows,), bool, or None
        None where nothing says.
    source : ndarray of shape (n_rows,), object (str), or None
        Photo that an image, real or fake, was made of.
    """

    identity: np.ndarray
    is_fake: np.ndarray | None = None
    source: np.ndarray | None = None

    def without_own_photos(self, comparisons: Comparisons) -> Comparisons:
        """The comparisons but for those of a fake with the photo that its face was taken from."""
        if self.source is None:
            return comparisons
        probe, reference = (self.source[side] for side in (comparisons.probe, comparisons.reference))
        is_own = comparisons.trials.is_fake & (probe == reference) & (probe != "")
        return comparisons[~is_own]


def _labelled(args: argparse.Namespace, table: FaceTable) -> _Labelled:
    if args.identity == FOLDER:
        return _Labelled(np.array([path.rpartition("/")[0] for path in table.path], dtype=object))
    labels = read_labels(args.identity)
    identity = labelled_identities(table, labels, args.identity_column)
    if _KIND not in labels.columns:
        return _Labelled(identity)
    is_fake = labelled_identities(table, labels, _KIND) == FAKE
    return _Labelled(identity, is_fake, _sources(table, labels, is_fake))


def _sources(table: FaceTable, labels: pd.DataFrame, is_fake: np.ndarray) -> np.ndarray | None:
    """The photo that each image was made of; None where labels do not say, or mean something else by the word."""
    if _SOURCE not in labels.columns:
        return None
    source = labelled_identities(table, labels, _SOURCE)
    of_real = source[~is_fake & (source != "")]
    return source if len(set(of_real)) == len(of_real) else None


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise ValueError(f"--max_pairs must be a whole number from 2 on, or all; got {text!r}.")
    return int(text)
