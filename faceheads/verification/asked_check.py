"""The bona fide check that the options of ``verify.py`` ask for: its head, and what this says of the photos of a table."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..extraction_command import extraction_command
from ..store import PICKLE_SUFFIXES, load_heads
from ..table import FaceTable
from ..table_io import read_table
from .bona_fide_head import BonaFideHead
from .bona_fide_rows import ScoredTable, learned_rows
from .comparisons import Comparisons
from .threshold_file import ThresholdFile

_UNKNOWN_PEOPLE = (
    "which people the bona fide head learned from is not known (no {} beside it); errors on such people are too low"
)


@dataclass(frozen=True, eq=False)
class AskedRows:
    """The rows that are compared, with what a bona fide head says of them where one is asked for.

    Attributes
    ----------
    table : FaceTable
    bona_fide : ndarray of shape (n_rows,), float64, or None
        Scores of the head.
    is_learned : ndarray of shape (n_rows,), bool, or None
        Photos that the head learned from; None where it does not matter.
    remark : str
        What a reader of the errors should know.
    """

    table: FaceTable
    bona_fide: np.ndarray | None = None
    is_learned: np.ndarray | None = None
    remark: str = ""

    def beside(self, comparisons: Comparisons | None) -> Comparisons | None:
        """Comparisons of these rows, with their bona fide scores, of people that the head did not learn from.

        Raises
        ------
        ValueError
            If nothing is left.
        """
        if comparisons is None or self.bona_fide is None:
            return comparisons
        remarks = (*comparisons.remarks, *([self.remark] if self.remark else []))
        scored = replace(comparisons, bona_fide=self.bona_fide, remarks=remarks)
        left = scored if self.is_learned is None else scored.without_people_of(self.is_learned)
        if not len(left):
            raise ValueError(
                "the bona fide head learned from all of these people. Train it on a part of them (train.py --test_size 0.5), or "
                "give pairs of others."
            )
        return left


def asked_head(args: argparse.Namespace, file: ThresholdFile | None) -> BonaFideHead | None:
    """The head that the options name, or that of the threshold; None where neither asks for one.

    Raises
    ------
    ValueError
        If options contradict each other.
    faceheads.headfile.HeadError
        If it is no head that tells fakes from photos.
    """
    if args.bona_fide is None:
        return _head_of_threshold(args, file)
    _check_options(args)
    return BonaFideHead.of(load_heads(args.bona_fide))


def _head_of_threshold(args: argparse.Namespace, file: ThresholdFile | None) -> BonaFideHead | None:
    if args.fake_fmr is not None:
        raise ValueError("--fake_fmr limits pairs with a fake, which takes a head that knows them: give --bona_fide.")
    head = None if file is None or file.check is None else file.check.head
    if head is None and args.bona_fide_feature is not None:
        raise ValueError("--bona_fide_feature is for --bona_fide, or for a threshold that was made with it.")
    return head


def _check_options(args: argparse.Namespace) -> None:
    if args.save_threshold is None:
        raise ValueError("--bona_fide is fused with the similarity and kept with a threshold: give --save_threshold.")
    if args.by != "fmr" or args.max_pairs == "all":
        raise ValueError(
            "--bona_fide asks for two FMRs, of listed pairs: leave --by at fmr, and --max_pairs at a number."
        )
    if args.bona_fide.suffix in PICKLE_SUFFIXES:
        raise ValueError(
            f"--bona_fide must be a .skops file, which goes with the threshold; got {args.bona_fide.name}."
        )


def rows_with_scores(args: argparse.Namespace, table: FaceTable, head: BonaFideHead | None) -> AskedRows:
    """The rows of a table with the scores of a head, where there is one.

    Raises
    ------
    ValueError
        If no table for the head is named and that of the faces has other vectors.
    TableError
        If the table for the head is not of the same photos.
    faceheads.headfile.HeadError
        If it is of another embedder.
    """
    if head is None:
        return AskedRows(table)
    if args.bona_fide_feature is None and (
        table.spec is None or table.spec.embedder_digest != head.spec.embedder_digest
    ):
        raise ValueError(
            "the bona fide head takes other vectors than --feature has. Name a table of them with --bona_fide_feature; "
            f"such are made by: {extraction_command(head.spec)}"
        )
    scored = ScoredTable.of(table, read_table(bona_fide_table(args)), head)
    if args.bona_fide is None:
        return AskedRows(scored.table, scored.bona_fide)
    learned = learned_rows(args.bona_fide, scored.table)
    remark = _UNKNOWN_PEOPLE.format(args.bona_fide.with_suffix(".split.csv").name) if learned is None else ""
    return AskedRows(scored.table, scored.bona_fide, learned, remark)


def bona_fide_table(args: argparse.Namespace) -> Path:
    """Where the table for the head lies."""
    return args.feature if args.bona_fide_feature is None else args.bona_fide_feature
