"""A set of comparisons with everything that a report needs: trials, lost images, who they are of, and a hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from ..splits import TRAIN, grouped_split
from ..table import FaceTable
from .acquisition import Acquisition
from .identities import guessed_identities
from .pairing import MAX_PAIRS, pair_fakes, pair_identities
from .scores.base import PairScore
from .scores.cross_fit import cross_fitted, fit_score
from .scores.faces import face_inputs
from .scores.registry import PLAIN, wants_quality
from .trials import FAKE, REAL, Trials, compare_rows, pair_rows
from .uncertainty import UncertainRates


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Trials and where they come from.

    Attributes
    ----------
    table : FaceTable
    trials : Trials
    probe, reference : ndarray of shape (n_trials,), int64
        Rows of the table, of lost images too.
    metric : {"cosine", "euclidean"}
    source : str
        Where the pairs come from, in words.
    remarks : tuple of str
        What a reader of the errors should know.
    fold : ndarray of shape (n_trials,), int64, or None
        Of the protocol.
    person : ndarray of shape (n_rows,), object (str), or None
        The identities that the pairs were made from, empty where a row is in none; None for a list of pairs.
    score : str
        What the similarities are: ``"plain"`` for those of the metric, else the name of a fitted score.
    bona_fide : ndarray of shape (n_rows,), float64, or None
        Bona fide scores of the rows, where a head gave some.
    alone : ndarray of shape (n_trials,), float64, or None
        What the similarities were before bona fide scores were fused with them.
    """

    table: FaceTable
    trials: Trials
    probe: np.ndarray
    reference: np.ndarray
    metric: str
    source: str
    remarks: tuple[str, ...] = ()
    fold: np.ndarray | None = None
    person: np.ndarray | None = None
    score: str = PLAIN
    bona_fide: np.ndarray | None = None
    alone: np.ndarray | None = None

    @classmethod
    def from_pairs(
        cls, table: FaceTable, pairs: pd.DataFrame, metric: str, source: str, identities: np.ndarray | None = None
    ) -> Comparisons:
        """Comparisons that a list names; the first face of an image counts.

        Parameters
        ----------
        table : FaceTable
        pairs : DataFrame
            As :func:`faceheads.datasets.pairs.read_pairs` gives.
        metric : {"cosine", "euclidean"}
        source : str
        identities : ndarray of shape (n_rows,), object (str), optional
            Default: the folders, or what the pairs say.

        Raises
        ------
        TrialError
            If a listed image has no row in the table.
        """
        probe, reference = pair_rows(table, pairs)
        is_mated = pairs["is_mated"].to_numpy(bool)
        kind = pairs["kind"].to_numpy(object) if pairs["kind"].notna().any() else None
        how = "the labels"
        if identities is None:
            is_fake = (pairs["kind"] == FAKE).to_numpy(bool, na_value=False)
            identities, how = guessed_identities(table, probe, reference, is_mated, is_fake)
        trials = compare_rows(table, probe, reference, is_mated, metric, identities, kind)
        fold = pairs["fold"].to_numpy(np.int64) if pairs["fold"].notna().all() else None
        remarks = (f"identities (for intervals and splits) by {how}",)
        return cls(table, trials, probe, reference, metric, source, remarks, fold)

    @classmethod
    def from_identities(
        cls,
        table: FaceTable,
        identities: np.ndarray,
        metric: str,
        source: str,
        max_pairs: int = MAX_PAIRS,
        seed: int = 0,
        is_fake: np.ndarray | None = None,
    ) -> Comparisons:
        """All pairs of images with an identity, or ``max_pairs`` of them; the first face of an image counts.

        Parameters
        ----------
        table : FaceTable
        identities : ndarray of shape (n_rows,), object (str)
            Rows with an empty one are in no pair.
        metric : {"cosine", "euclidean"}
        source : str
        max_pairs, seed : int
        is_fake : ndarray of shape (n_rows,), bool, optional
            Fakes are paired with the real images of the person they show, non-mated, of the kind ``"fake"``.

        Raises
        ------
        ValueError
            If there is no mated or no non-mated pair.
        """
        named = np.where(table.face_index == 0, identities, "")
        is_fake = np.zeros(len(table), bool) if is_fake is None else is_fake
        fakes = pair_fakes(named, is_fake, max_pairs // 2, seed)
        person = np.where(is_fake, "", named)
        pairs = pair_identities(person, max_pairs - len(fakes[0]), seed)
        probe, reference = (np.concatenate(both) for both in zip((pairs.probe, pairs.reference), fakes, strict=True))
        is_mated = np.concatenate([pairs.is_mated, np.zeros(len(fakes[0]), bool)])
        kind = np.repeat(np.array([REAL, FAKE], object), [len(pairs.probe), len(fakes[0])]) if len(fakes[0]) else None
        trials = compare_rows(table, probe, reference, is_mated, metric, identities, kind)
        n_listed = int(pairs.is_mated.sum())
        part = f"{n_listed:,} of {pairs.n_mated_all:,} mated and {len(pairs.probe) - n_listed:,} of "
        part += f"{pairs.n_non_mated_all:,} non-mated pairs, drawn at random"
        remarks = () if pairs.is_complete else (part,)
        return cls(table, trials, probe, reference, metric, source, remarks, person=person)

    def __len__(self) -> int:
        return len(self.trials)

    def __getitem__(self, chosen: np.ndarray) -> Comparisons:
        columns = {name: getattr(self, name) for name in ("trials", "probe", "reference", "fold", "alone")}
        return replace(self, **{name: None if values is None else values[chosen] for name, values in columns.items()})

    def fitted(self, score: PairScore) -> PairScore:
        """The score, fitted to the faces of the comparisons."""
        return fit_score(score, face_inputs(self.table, wants_quality(score)), self.trials)

    def scored(self, score: PairScore | None) -> Comparisons:
        """The same comparisons with the scores of a fitted score; those of the metric for None."""
        if score is None:
            return self
        X = face_inputs(self.table, wants_quality(score))
        return self._with_scores(score, score.score_rows(X, self.trials.probe, self.trials.reference))

    def cross_scored(self, score: PairScore) -> Comparisons:
        """The same comparisons with scores that were fitted to the others of these people, see
        :mod:`faceheads.verification.scores.cross_fit`.

        Raises
        ------
        ValueError
            If there are too few people.
        """
        return self._with_scores(
            score, cross_fitted(score, face_inputs(self.table, wants_quality(score)), self.trials)
        )

    def _with_scores(self, score: PairScore, similarity: np.ndarray) -> Comparisons:
        return replace(self, trials=replace(self.trials, similarity=similarity), score=score.name)

    def without_people_of(self, rows: np.ndarray) -> Comparisons:
        """The comparisons of other people than those on some rows (a boolean array of shape (n_rows,))."""
        sides = [(self.trials.probe_identity, self.probe), (self.trials.reference_identity, self.reference)]
        people = {name for identity, side in sides for name in identity[rows[side]]}
        if not people:
            return self
        is_other = ~np.logical_or(*(pd.Index(identity).isin(people) for identity, _ in sides))
        remark = f"{(~is_other).sum():,} comparisons of {len(people):,} people that the bona fide head learned from are left out"
        return replace(self[is_other], remarks=(*self.remarks, remark))

    @property
    def of_people(self) -> Comparisons:
        """The comparisons without a fake."""
        return self[~self.trials.is_fake]

    @property
    def of_fakes(self) -> Comparisons:
        """The comparisons with a fake, and the mated ones."""
        return self[self.trials.is_fake | self.trials.is_mated]

    @cached_property
    def acquisition(self) -> Acquisition:
        """What was lost."""
        return Acquisition.of(self.table, np.concatenate([self.probe, self.reference]), self.trials)

    @cached_property
    def rates(self) -> UncertainRates:
        """The error rates of what was compared.

        Raises
        ------
        ValueError
            If there are no mated or no non-mated comparisons that were made.
        """
        return UncertainRates(self.trials)

    @cached_property
    def sha256(self) -> str:
        """A hash of what was compared, whatever the order: paths and contents of the images, pairs and truths."""
        paths, contents = self.table.path, self.table.sha256
        is_used = np.zeros(len(paths), bool)
        is_used[self.probe] = is_used[self.reference] = True
        used = np.flatnonzero(is_used)
        ordered = used[np.argsort(paths[used].astype(str), kind="stable")]
        position = np.zeros(len(paths), np.int64)
        position[ordered] = np.arange(len(ordered))
        one, other = position[self.probe], position[self.reference]
        keys = (np.minimum(one, other) * len(ordered) + np.maximum(one, other)) * 2 + self.trials.is_mated
        listed = "\n".join(f"{paths[row]}\t{contents[row]}" for row in ordered)
        digest = hashlib.sha256(listed.encode("utf-8", "surrogateescape"))
        digest.update(np.sort(keys).astype("<i8").tobytes())
        return digest.hexdigest()

    def split_people(self, share: float, seed: int = 0) -> tuple[Comparisons, Comparisons]:
        """Comparisons among a share of the people, and comparisons among the others; those between are in neither.

        Raises
        ------
        ValueError
            If a side has nobody.
        """
        codes, names = pd.factorize(np.concatenate([self.trials.probe_identity, self.trials.reference_identity]))
        is_first = grouped_split(list(names), 1 - share, seed) == TRAIN
        probe, reference = np.split(is_first[codes], 2)
        return self[probe & reference], self[~probe & ~reference]


def check_disjoint(tuned: Trials, reported: Trials) -> None:
    """Refuse sets of comparisons that share a person.

    Raises
    ------
    ValueError
        With examples.
    """
    one, other = (
        set(pd.unique(np.concatenate([trials.probe_identity, trials.reference_identity])))
        for trials in (tuned, reported)
    )
    shared = sorted(one & other, key=str)
    if shared:
        raise ValueError(
            f"A threshold must be reported on other people than it was tuned on; {len(shared)} are in both, for "
            f"example {shared[:3]}."
        )
