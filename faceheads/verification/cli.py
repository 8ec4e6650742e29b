"""``verify.py`` on tables: error rates of comparisons, thresholds, a report."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ..cohorts import cohort_columns
from ..datasets.pairs import read_pairs
from ..labels import labels_for, read_labels
from ..report.extra import require
from ..report.thumbnails import face_thumbnails
from ..samples import Samples
from ..splits import NEITHER, TRAIN, grouped_split
from ..table import FaceTable
from ..table_io import read_table
from .comparisons import FAKE, Comparisons
from .error_rates import ErrorCurve
from .fusion import fused_table
from .identities import IDENTITY, labelled_identities
from .pair_blocks import pair_blocks
from .pairing import MAX_PAIRS, count_all_pairs
from .plots import draw
from .report import markdown, measure, write_report
from .rules import BY, Request
from .scores.registry import PLAIN, SCORES, make_score
from .similarity import METRICS
from .threshold_file import ThresholdFile, load_threshold, save_threshold, tune_threshold

#: The word for identities that are the folders of the images.
FOLDER = "folder"
_KIND = "kind"


def add_table_options(parser: argparse.ArgumentParser) -> None:
    """Options on what is compared, on the threshold and on the report."""
    group = parser.add_argument_group("what is compared")
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
    _add_threshold_options(parser)
    _add_output_options(parser)


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


def verify_table(args: argparse.Namespace) -> int:
    """Measure comparisons of a feature table as the options say; returns the exit code.

    Raises
    ------
    ValueError
        If the options, the table and the pairs do not go together.
    """
    if args.feature is None or (args.pairs is None and args.identity is None):
        raise ValueError("give two photos and --threshold, or --feature with --pairs or --identity.")
    if args.threshold is not None and args.save_threshold is not None:
        raise ValueError("--threshold uses a threshold, --save_threshold finds one: give one of the two.")
    _check_score(args)
    if args.report is not None and not args.no_pictures:
        # better now than after the work
        require("matplotlib.figure", "jinja2", instead="ask for the numbers alone with --no_pictures")
    table = fused_table([read_table(path) for path in (args.feature, *args.fuse)])
    file, reported = _threshold_and_comparisons(args, table)
    curve = _curve(args, reported)
    if curve is not reported.rates.curve:
        reported = replace(reported, remarks=("rates over all pairs; intervals from " + "; ".join(reported.remarks),))
    values = measure(reported, file, curve, _cohorts(args, table))
    if args.report is not None:
        _write_report(args, values, reported, file, curve)
    if args.save_threshold is not None:
        save_threshold(args.save_threshold, file)
    print(json.dumps(values, indent=1, ensure_ascii=False) if args.json else markdown(values), end="")
    return 0


def _write_report(
    args: argparse.Namespace, values: dict, reported: Comparisons, file: ThresholdFile | None, curve: ErrorCurve
) -> None:
    if args.no_pictures:
        write_report(args.report, values)
        return
    photos = None if args.data_dir is None else partial(face_thumbnails, folder=args.data_dir)
    examples = [] if photos is None else pair_blocks(reported, photos)
    write_report(args.report, values, draw(reported, file, curve), examples)


def _threshold_and_comparisons(args: argparse.Namespace, table: FaceTable) -> tuple[ThresholdFile | None, Comparisons]:
    if args.threshold is not None:
        file = load_threshold(args.threshold)
        file.check_spec(table.spec)
        if table.spec.detection_digest != file.spec.detection_digest:
            note = f"verify.py: note: the threshold was tuned on faces found by {file.spec.detector} with settings "
            print(f"{note}that this table does not have; its errors may differ", file=sys.stderr)
        if args.metric not in ("auto", file.metric):
            raise ValueError(f"--metric {args.metric}: the threshold is one of {file.metric} similarities.")
        return file, _compare(args, table, file.metric)[0].scored(file.score)
    metric = _metric(args.metric, table)
    if args.save_threshold is None:
        return None, _compare(args, table, metric)[0]
    reported, tuned = _compare(args, table, metric, is_tuned=True)
    if args.score == PLAIN:
        return tune_threshold(tuned, reported, _request(args)), reported
    score = make_score(args.score, metric)
    fitted = tuned.fitted(score)
    reported = reported.scored(fitted)
    return tune_threshold(tuned.cross_scored(score), reported, _request(args), fitted), reported


def _cohorts(args: argparse.Namespace, table: FaceTable) -> dict[str, pd.Categorical]:
    """Cohorts of the rows by each column that is asked for, and by each two of them."""
    if not args.cohort:
        return {}
    labels = pd.DataFrame(index=pd.Index(table.keys))
    path = _cohort_labels(args)
    if path is not None:
        labels = labels_for(table, read_labels(path), allow_missing=True)
    unsplit = Samples(table, labels, np.arange(len(table)), np.full(len(table), NEITHER, object))
    return cohort_columns(unsplit, args.cohort)


def _cohort_labels(args: argparse.Namespace) -> Path | None:
    if args.label is not None:
        return args.label
    if args.identity not in (None, FOLDER):
        return Path(args.identity)
    beside = args.feature.with_suffix(".label.csv")
    return beside if beside.exists() else None


def _check_score(args: argparse.Namespace) -> None:
    if args.score == PLAIN:
        return
    if args.save_threshold is None:
        raise ValueError(f"--score {args.score} is fitted to some people and kept with a threshold: --save_threshold.")
    if args.max_pairs == "all":
        raise ValueError("--max_pairs all counts similarities of the metric; leave --score away.")


def _metric(wanted: str, table: FaceTable) -> str:
    if wanted != "auto":
        return wanted
    return "cosine" if table.spec is None else table.spec.embedder.metric


def _request(args: argparse.Namespace) -> Request:
    fmr = args.fmr if args.by == "fmr" else float("nan")
    return Request(args.by, fmr, args.false_match_cost, args.false_non_match_cost, args.mated_share)


def _compare(
    args: argparse.Namespace, table: FaceTable, metric: str, is_tuned: bool = False
) -> tuple[Comparisons, Comparisons | None]:
    """Comparisons to report on, and those of other people to find a threshold on."""
    if args.pairs is None:
        return _compare_identities(args, table, metric, is_tuned)
    pairs = listed_pairs(args)
    identities = None if args.identity is None else _identities(args, table)[0]
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
    identities, is_fake = _identities(args, table)
    n_pairs = MAX_PAIRS if args.max_pairs == "all" else _positive(args.max_pairs)
    parts = [identities]
    if is_tuned:
        names = sorted(set(identities) - {""})
        side = dict(zip(names, grouped_split(names, 1 - args.tune_share, args.seed), strict=True))
        is_first = np.array([side.get(name) == TRAIN for name in identities])
        parts = [np.where(is_first, "", identities), np.where(is_first, identities, "")]
    source = f"pairs of {args.feature.name} by {Path(args.identity).name}"
    made = [Comparisons.from_identities(table, part, metric, source, n_pairs, args.seed, is_fake) for part in parts]
    return made[0], made[1] if is_tuned else None


def _identities(args: argparse.Namespace, table: FaceTable) -> tuple[np.ndarray, np.ndarray | None]:
    """Identity of each row, and which rows are fakes where the labels say."""
    if args.identity == FOLDER:
        return np.array([path.rpartition("/")[0] for path in table.path], dtype=object), None
    labels = read_labels(args.identity)
    identities = labelled_identities(table, labels, args.identity_column)
    if _KIND not in labels.columns:
        return identities, None
    return identities, labelled_identities(table, labels, _KIND) == FAKE


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise ValueError(f"--max_pairs must be a whole number from 2 on, or all; got {text!r}.")
    return int(text)


def _curve(args: argparse.Namespace, reported: Comparisons) -> ErrorCurve:
    """The error rates of the listed pairs, or of all when they are asked for and not all are listed."""
    if args.max_pairs != "all" or reported.person is None:
        return reported.rates.curve
    made = reported.table.has_embedding & (reported.person != "")
    return count_all_pairs(reported.table.embedding[made], reported.person[made], reported.metric)
