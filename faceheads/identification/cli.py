"""``verify.py --gallery``: how often the right person is found in a gallery, and strangers are taken for somebody."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from ..atomic import atomic_path, write_text
from ..labels import read_labels
from ..report.extra import require
from ..report.markdown import markdown
from ..report.writing import write_document
from ..splits import TRAIN, grouped_split
from ..table import FaceTable
from ..table_io import read_table
from ..verification.comparisons import Comparisons
from ..verification.identities import labelled_identities
from ..verification.rules import Request
from ..verification.threshold_file import ThresholdFile, load_threshold, save_threshold
from ..verification.threshold_tuning import tune_threshold
from .document import draw_searches, identification_document
from .gallery import person_of
from .searches import (
    FIRST,
    Task,
    answers_of,
    choose_rows,
    column_of,
    measure_searches,
)
from .thresholds import DEFAULT_FPIR, refuse_score, threshold_at_fpir

NAME, ANSWERS = "identification", "searches.csv"
_FOLDER = "folder"
#: More than there are pairs of the images of any gallery that is tuned on; fewer are drawn at random.
_MAX_PAIRS = 10_000_000


def add_identification_options(parser: argparse.ArgumentParser) -> None:
    """Options on searches in a gallery."""
    group = parser.add_argument_group(
        "searches in a gallery", "With --feature and --identity; --threshold, --save_threshold, --report as for pairs."
    )
    group.add_argument(
        "--gallery",
        metavar="TABLE|first|COLUMN=VALUE",
        help="who is enrolled: a feature table, the first image of each person with two or more, or the images with this "
        "label; the other images of --feature are searched",
    )
    group.add_argument(
        "--fpir",
        type=float,
        metavar="P",
        help="share of strangers that may be taken for somebody, at most: the threshold of --threshold or --save_threshold "
        f"is chosen for it (default with --save_threshold: {DEFAULT_FPIR:g})",
    )
    group.add_argument("--probe_kind", metavar="COLUMN", help="label column by which rates are told apart as well")


def identify_table(args: argparse.Namespace) -> int:
    """Search the images of a feature table in a gallery as the options say; returns the exit code.

    Raises
    ------
    ValueError
        If the options, the tables and the labels do not go together.
    """
    if args.feature is None or args.identity is None:
        raise ValueError("--gallery needs --feature, the images to search, and --identity, who is on them.")
    if args.threshold is not None and args.save_threshold is not None:
        raise ValueError("--threshold uses a threshold, --save_threshold finds one: give one of the two.")
    if args.report is not None and not args.no_pictures:
        require("matplotlib.figure", "jinja2", instead="ask for the numbers alone with --no_pictures")
    task = _task(args)
    spec = task.probes.spec
    metric = args.metric if args.metric != "auto" else "cosine" if spec is None else spec.embedder.metric
    file, threshold = None, None
    if args.threshold is not None or args.save_threshold is not None:
        file, task = _file_and_task(args, task, metric)
        metric = file.metric
        threshold = file.threshold
        if args.threshold is not None and args.fpir is not None:
            threshold = threshold_at_fpir(file, args.fpir, int(task.gallery.has_embedding.sum()))
    searches = task.run(metric)
    values = measure_searches(task, searches, metric, threshold, file)
    if args.report is not None:
        pictures = () if args.no_pictures else draw_searches(searches, threshold)
        _write(args.report, values, pictures, answers_of(task, searches, threshold))
    if args.save_threshold is not None:
        save_threshold(args.save_threshold, file)
    shown = (
        json.dumps(values, indent=1, ensure_ascii=False) if args.json else markdown(identification_document(values))
    )
    print(shown, end="")
    return 0


def _task(args: argparse.Namespace) -> Task:
    table = read_table(args.feature)
    labels = None if args.identity == _FOLDER else read_labels(args.identity)
    table = table[table.face_index == 0]
    person = _people(table, labels, args.identity_column)
    source = f"{args.feature.name}, gallery {args.gallery}"
    if args.gallery == FIRST or ("=" in args.gallery and not Path(args.gallery).exists()):
        is_enrolled = choose_rows(table, person, args.gallery, labels) & (person != "")
        gallery, gallery_person = table[is_enrolled], person[is_enrolled]
    else:
        gallery = read_table(args.gallery)
        gallery = gallery[gallery.face_index == 0]
        _check_same(table, gallery)
        gallery_person = _people(gallery, labels, args.identity_column)
        gallery, gallery_person = gallery[gallery_person != ""], gallery_person[gallery_person != ""]
        is_enrolled = np.zeros(len(table), bool)
    is_probe = ~is_enrolled & (person != "")
    probes = table[is_probe]
    kind = None if args.probe_kind is None else column_of(probes, labels, args.probe_kind)
    return Task(probes, person[is_probe], gallery, gallery_person, source, kind)


def _people(table: FaceTable, labels: pd.DataFrame | None, column: str) -> np.ndarray:
    if labels is None:
        return np.array([person_of(path) for path in table.path], dtype=object)
    return labelled_identities(table, labels, column)


def _check_same(probes: FaceTable, gallery: FaceTable) -> None:
    digests = [None if table.spec is None else table.spec.embedder_digest for table in (probes, gallery)]
    if digests[0] != digests[1]:
        raise ValueError(
            f"--feature and --gallery must hold embeddings of one network; got {digests[0]} and {digests[1]}."
        )


def _file_and_task(args: argparse.Namespace, task: Task, metric: str) -> tuple[ThresholdFile, Task]:
    """The threshold, given or tuned on a share of the people, and the searches of the others."""
    if args.threshold is not None:
        file = load_threshold(args.threshold)
        file.check_spec(task.probes.spec)
        refuse_score(file)
        return file, task
    side = grouped_split(task.people, 1 - args.tune_share, args.seed)
    tuned = {name for name, part in zip(task.people, side, strict=True) if part == TRAIN}
    reported = task.of_people(set(task.people) - tuned)
    fpir = DEFAULT_FPIR if args.fpir is None else args.fpir
    n_enrolled = int(reported.gallery.has_embedding.sum())
    if not n_enrolled:
        raise ValueError("nobody is left to enrol: give more people, or a smaller --tune_share.")
    sides = [_comparisons(part, metric, args.seed) for part in (task.of_people(tuned), reported)]
    return tune_threshold(*sides, Request("fmr", fpir / n_enrolled)), reported


def _comparisons(task: Task, metric: str, seed: int) -> Comparisons:
    """Every pair of images of the people of a task."""
    is_other = ~np.isin(task.gallery.keys.astype(str), task.probes.keys.astype(str))
    table = FaceTable.concatenate([task.probes, task.gallery[is_other]])
    person = np.concatenate([task.probe_person, task.gallery_person[is_other]])
    return Comparisons.from_identities(table, person, metric, f"pairs of {task.source}", _MAX_PAIRS, seed)


def _write(folder: Path, values: dict, pictures: tuple, answers: pd.DataFrame) -> None:
    write_text(folder / f"{NAME}.json", json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    write_document(folder, NAME, identification_document(values, pictures), with_html=bool(pictures))
    with atomic_path(folder / ANSWERS) as temporary:
        answers.to_csv(temporary, index=False, lineterminator="\n")
