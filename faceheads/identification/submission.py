"""What two challenges take: the similarity of each test pair (Kryptonite), the person of each distorted photo (FACECOM B).

Every pair and photo that the folder holds has a line, those without a face too: such a pair has a similarity below all
others, such a photo is of nobody.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..datasets import ADAPTERS, Dataset, open_dataset
from ..datasets.facecom import TASK_FOLDERS
from ..datasets.pairs import kryptonite_test_pairs
from ..datasets.submissions import write_facecom_predictions, write_kryptonite_submission
from ..table import FaceTable
from ..verification.similarity import similarities
from ..verification.threshold_file import ThresholdFile
from .gallery import UNKNOWN, Gallery
from .thresholds import refuse_score

CHALLENGES = ("kryptonite", "facecom")
_SCORED_PART, _CLEAN = "val", "clean"


class SubmissionError(ValueError):
    """There is nothing to submit, or the table lacks images of it; the message says what to do."""


def open_challenge(folder: Path) -> tuple[Dataset, list[str]]:
    """The data set of a challenge, and the images that a submission is about.

    Parameters
    ----------
    folder : Path
        Of Kryptonite, or of FACECOM or its Task B.

    Raises
    ------
    SubmissionError
        If it is of neither, or has no such images.
    """
    if ADAPTERS["kryptonite"].detect(folder):
        dataset = open_dataset(folder, "kryptonite")
        images = sorted(kryptonite_test_pairs(dataset).to_numpy().ravel()) if "pair" in dataset.labels else []
    elif ADAPTERS["facecom"].detect(folder):
        dataset = open_dataset(folder, "facecom", task=_task_b(folder))
        images = [] if "distortion" not in dataset.labels else _of_part(dataset.labels)
    else:
        raise SubmissionError(f"--submission knows the folders of {' and '.join(CHALLENGES)}; {folder} is neither.")
    if not images:
        raise SubmissionError(f"{folder} has no test images of {dataset.name} to submit anything for.")
    return dataset, images


def _task_b(folder: Path) -> str | None:
    return "B" if (folder / TASK_FOLDERS["B"]).is_dir() else None


def _of_part(labels: pd.DataFrame) -> list[str]:
    return list(labels.index[labels["split"] == _SCORED_PART])


def write_submission(
    file: str | os.PathLike,
    dataset: Dataset,
    table: FaceTable,
    metric: str,
    threshold: ThresholdFile | None = None,
    bona_fide: np.ndarray | None = None,
) -> int:
    """Write what a challenge takes; returns the number of lines.

    Parameters
    ----------
    file : path
    dataset : Dataset
        As :func:`open_challenge` gives it.
    table : FaceTable
        Has rows for all its test images; of several faces the first counts.
    metric : {"cosine", "euclidean"}
        Where there is no threshold.
    threshold : ThresholdFile, optional
        Its similarity is taken; in FACECOM, photos less alike than it to everybody are of nobody.
    bona_fide : ndarray of shape (n_rows,), float64, optional
        Bona fide scores of the rows, for a threshold that refuses fakes (Kryptonite).

    Raises
    ------
    SubmissionError
        If the table lacks images, or nobody can be enrolled.
    """
    if threshold is not None:
        threshold.check_spec(table.spec)
    if dataset.name == "kryptonite":
        return _write_pairs(file, kryptonite_test_pairs(dataset), table, metric, threshold, bona_fide)
    return _write_people(file, dataset.labels, table, metric, threshold)


def _rows_of(table: FaceTable, paths: Sequence[str]) -> np.ndarray:
    first = np.flatnonzero(table.face_index == 0)
    at = pd.Index(table.path[first]).get_indexer(pd.Index(paths))
    if (at < 0).any():
        missing = [path for path, row in zip(paths, at, strict=True) if row < 0]
        raise SubmissionError(
            f"{len(missing)} of {len(paths)} test images have no row in the feature table, for example {missing[:3]}."
        )
    return first[at]


def _write_pairs(
    file,
    pairs: pd.DataFrame,
    table: FaceTable,
    metric: str,
    threshold: ThresholdFile | None,
    bona_fide: np.ndarray | None,
) -> int:
    probe, reference = (_rows_of(table, list(pairs[side])) for side in ("probe", "reference"))
    made = table.has_embedding[probe] & table.has_embedding[reference]
    found = np.full(len(pairs), np.nan)
    if threshold is None:
        found[made] = similarities(table.embedding, probe[made], reference[made], metric)
    else:
        found[made] = threshold.similarities(table, probe[made], reference[made], bona_fide)
    lowest = found[made].min() if made.any() else 0.0
    found[~made] = np.nextafter(lowest, -np.inf)
    write_kryptonite_submission(file, pd.Series(found, index=pairs.index), list(pairs.index))
    return len(pairs)


def _write_people(file, labels: pd.DataFrame, table: FaceTable, metric: str, threshold: ThresholdFile | None) -> int:
    part = labels.loc[_of_part(labels)]
    is_clean = (part["distortion"] == _CLEAN).to_numpy()
    clean, probes = (part[chosen] for chosen in (is_clean, ~is_clean))
    if threshold is not None:
        refuse_score(threshold)
        metric = threshold.metric
    gallery = Gallery.of(
        table.embedding[_rows_of(table, list(clean.index))], clean["identity"].to_numpy(object), metric
    )
    rows = _rows_of(table, list(probes.index))
    made = table.has_embedding[rows]
    name, similarity = np.full(len(rows), UNKNOWN, dtype=object), np.full(len(rows), np.nan)
    each = gallery.similarity(table.embedding[rows[made]])
    name[made], similarity[made] = gallery.names[each.argmax(axis=1)], each.max(axis=1)
    if threshold is not None:
        name[made & (similarity < threshold.threshold)] = UNKNOWN
    index = probes.index
    truth = probes["identity"].astype(str)
    write_facecom_predictions(file, truth, pd.Series(name, index=index), pd.Series(similarity, index=index))
    return len(probes)
