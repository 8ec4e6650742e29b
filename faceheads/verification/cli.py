"""``verify.py`` on tables: error rates of comparisons, thresholds, a report."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ..cohorts import cohort_columns
from ..labels import labels_for, read_labels
from ..report.extra import require
from ..report.thumbnails import face_thumbnails
from ..samples import Samples
from ..splits import NEITHER
from ..table import FaceTable
from ..table_io import read_table
from .asked_check import AskedRows, asked_head, rows_with_scores
from .asked_pairs import FOLDER, compare
from .bona_fide_check import BonaFideCheck
from .bona_fide_head import BonaFideHead
from .comparisons import Comparisons
from .error_rates import ErrorCurve
from .fusion import fused_table
from .options import FAKE_FMR
from .pair_blocks import pair_blocks
from .pairing import count_all_pairs
from .plots import draw
from .report import markdown, measure, without_fakes, write_report
from .rules import Request
from .scores.registry import PLAIN, make_score
from .threshold_file import ThresholdFile, load_threshold, save_threshold
from .threshold_tuning import tune_threshold


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
    file, reported = _threshold_and_comparisons(args)
    curve = _counted(args, reported)
    if curve is not None:
        reported = replace(reported, remarks=("rates over all pairs; intervals from " + "; ".join(reported.remarks),))
    values = measure(reported, file, curve, _cohorts(args, reported.table))
    if args.report is not None:
        _write_report(args, values, reported, file, curve)
    if args.save_threshold is not None:
        save_threshold(args.save_threshold, file)
    print(json.dumps(values, indent=1, ensure_ascii=False) if args.json else markdown(values), end="")
    return 0


def _write_report(
    args: argparse.Namespace, values: dict, reported: Comparisons, file: ThresholdFile | None, curve: ErrorCurve | None
) -> None:
    if args.no_pictures:
        write_report(args.report, values)
        return
    curve = without_fakes(reported, file).rates.curve if curve is None else curve
    photos = None if args.data_dir is None else partial(face_thumbnails, folder=args.data_dir)
    examples = [] if photos is None else pair_blocks(reported, photos)
    write_report(args.report, values, draw(reported, file, curve), examples)


def _threshold_and_comparisons(args: argparse.Namespace) -> tuple[ThresholdFile | None, Comparisons]:
    """The threshold that is given or found, if any, and comparisons in its scores, of other people than it was found on."""
    file = None if args.threshold is None else load_threshold(args.threshold)
    head = asked_head(args, file)
    table = fused_table([read_table(path) for path in (args.feature, *args.fuse)])
    rows = rows_with_scores(args, table, head)
    if file is not None:
        return file, _measured_with(args, file, rows)
    if args.save_threshold is None:
        return None, compare(args, table, _metric(args.metric, table))[0]
    return _tuned(args, rows, head)


def _measured_with(args: argparse.Namespace, file: ThresholdFile, rows: AskedRows) -> Comparisons:
    """The comparisons that are asked for, in the scores of a threshold."""
    spec = rows.table.spec
    file.check_spec(spec)
    if spec.detection_digest != file.spec.detection_digest:
        note = f"verify.py: note: the threshold was tuned on faces found by {file.spec.detector} with settings "
        print(f"{note}that this table does not have; its errors may differ", file=sys.stderr)
    if args.metric not in ("auto", file.metric):
        raise ValueError(f"--metric {args.metric}: the threshold is one of {file.metric} similarities.")
    scored = rows.beside(compare(args, rows.table, file.metric)[0]).scored(file.score)
    return scored if file.check is None else file.check.fused(scored)


def _tuned(args: argparse.Namespace, rows: AskedRows, head: BonaFideHead | None) -> tuple[ThresholdFile, Comparisons]:
    """The threshold that is asked for, and comparisons of other people to report it on."""
    metric = _metric(args.metric, rows.table)
    reported, tuned = map(rows.beside, compare(args, rows.table, metric, is_tuned=True))
    score, check = None, None
    if args.score != PLAIN:
        unfitted = make_score(args.score, metric)
        score = tuned.fitted(unfitted)
        reported, tuned = reported.scored(score), tuned.cross_scored(unfitted)
    if head is not None:
        check = BonaFideCheck.fit(head, tuned, args.seed)
        reported, tuned = check.fused(reported), check.fused(tuned)
    return tune_threshold(tuned, reported, _request(args), score, check), reported


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
    costs = (args.false_match_cost, args.false_non_match_cost, args.mated_share)
    if args.by != "fmr":
        return Request(args.by, math.nan, *costs)
    fake_fmr = FAKE_FMR if args.fake_fmr is None else args.fake_fmr
    return Request("fmr", args.fmr, *costs, math.nan if args.bona_fide is None else fake_fmr)


def _counted(args: argparse.Namespace, reported: Comparisons) -> ErrorCurve | None:
    """The error rates of all pairs, where they are asked for and not all are listed."""
    if args.max_pairs != "all" or reported.person is None:
        return None
    made = reported.table.has_embedding & (reported.person != "")
    return count_all_pairs(reported.table.embedding[made], reported.person[made], reported.metric)
