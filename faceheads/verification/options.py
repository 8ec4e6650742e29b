"""The options of ``verify.py`` on tables: what is compared, the threshold, the report."""

from __future__ import annotations

import argparse
from pathlib import Path

from .identities import IDENTITY
from .pairing import MAX_PAIRS
from .rules import BY
from .scores.registry import PLAIN, SCORES
from .similarity import METRICS

#: Highest FMR of pairs with a fake where nothing is asked for.
FAKE_FMR = 0.05


def add_table_options(parser: argparse.ArgumentParser) -> None:
    """Options on what is compared, on fakes, on the threshold and on the report."""
    group = parser.add_argument_group("what is compared")
    _add_comparison_options(group)
    _add_identity_options(group)
    _add_measure_options(group)
    _add_bona_fide_options(parser)
    _add_threshold_options(parser)
    _add_output_options(parser)


def _add_comparison_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--feature", type=Path, help="feature table")
    group.add_argument(
        "--fuse",
        action="append",
        default=[],
        type=Path,
        metavar="TABLE",
        help="another table of the same photos, of another embedder or detector: similarities are the mean of those of all "
        "tables; can be repeated",
    )
    group.add_argument(
        "--pairs",
        type=Path,
        help="list of pairs: LFW's .txt, or .csv of Kryptonite, deepface or probe,reference,is_mated",
    )
    group.add_argument(
        "--pair_columns",
        metavar="PROBE,REFERENCE,TRUTH",
        help="columns of a list of pairs in any other form; TRUTH is yes or no, 1 or 0",
    )


def _add_identity_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--identity",
        metavar="LABELS",
        help="label table with the identity of each image, or the word folder: makes the pairs, or with --pairs says who "
        "is who",
    )
    group.add_argument("--identity_column", default=IDENTITY, metavar="COLUMN", help="(default: %(default)s)")
    group.add_argument(
        "--max_pairs",
        default=str(MAX_PAIRS),
        metavar="N|all",
        help="pairs to draw from identities; all counts every one in bins (default: %(default)s)",
    )


def _add_measure_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--metric", choices=("auto", *METRICS), default="auto", help="auto: what the network was trained for"
    )
    group.add_argument(
        "--cohort",
        action="append",
        default=[],
        metavar="COLUMN",
        help="also report errors by this label column, or by face_size, turn, brightness, sharpness; can be repeated",
    )
    group.add_argument(
        "--label",
        type=Path,
        metavar="LABELS",
        help="label table with the columns of --cohort (default: that of --identity, else NAME.label.csv)",
    )
    group.add_argument(
        "--score",
        choices=(PLAIN, *SCORES),
        default=PLAIN,
        help="score fitted to the people that the threshold is found on, for --save_threshold (default: the metric, or what "
        "the threshold says)",
    )
    group.add_argument("--seed", type=int, default=0, help="of drawn pairs and split people (default: %(default)s)")


def _add_bona_fide_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("fakes")
    group.add_argument(
        "--bona_fide",
        type=Path,
        metavar="HEAD.skops",
        help="head of train.py --target fake, for --save_threshold: photos of one person are a match only where neither is a "
        "fake; people that it learned from (HEAD.split.csv) are left out",
    )
    group.add_argument(
        "--bona_fide_feature",
        type=Path,
        metavar="TABLE",
        help="table of the same photos that this head, or that of the threshold, takes (default: that of --feature)",
    )
    group.add_argument(
        "--fake_fmr",
        type=float,
        metavar="FMR",
        help=f"highest FMR of pairs with a fake, beside --fmr, with --bona_fide (default: {FAKE_FMR:g})",
    )


def _add_threshold_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the threshold")
    group.add_argument("--threshold", type=Path, metavar="T.json", help="measure or use this threshold")
    group.add_argument("--save_threshold", type=Path, metavar="T.json", help="find a threshold and write it")
    group.add_argument("--by", choices=BY, default="fmr", help="what it is asked for (default: %(default)s)")
    group.add_argument("--fmr", type=float, default=1e-3, help="highest FMR, for --by fmr (default: %(default)s)")
    group.add_argument("--false_match_cost", type=float, default=1.0, help="for --by cost (default: %(default)s)")
    group.add_argument("--false_non_match_cost", type=float, default=1.0, help="for --by cost (default: %(default)s)")
    group.add_argument("--mated_share", type=float, default=0.5, help="for --by cost (default: %(default)s)")
    group.add_argument("--tune_pairs", type=Path, help="list of pairs of other people to find the threshold on")
    group.add_argument(
        "--tune_share",
        type=float,
        default=0.5,
        help="else: share of the people to find it on; the others are reported (default: %(default)s)",
    )


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--report", type=Path, metavar="DIR", help="write the report: HTML in one file, Markdown with pictures, JSON"
    )
    group.add_argument(
        "--no_pictures", action="store_true", help="a report as Markdown and JSON alone, which need no matplotlib"
    )
    group.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
