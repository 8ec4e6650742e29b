"""Which images are enrolled, which are searched, and everything that is measured on the searches.

Whoever has an image chosen for the gallery counts as enrolled, also where no face was found in it: then every search for
that person is a miss. The same holds for a probe without a face (ISO/IEC 19795-1: failures to enrol and to acquire).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..labels import LabelError, labels_for
from ..metrics.intervals import Estimate, GroupBootstrap
from ..table import FaceTable
from ..verification.error_rates import comparisons_needed
from ..verification.identification import Searches, search
from ..verification.threshold_file import ThresholdFile
from ..versions import software_versions

#: The word for a gallery of the first image of each person who has two or more.
FIRST = "first"
RANKS = (1, 5, 10)
FPIRS = (0.1, 0.01, 0.001)


@dataclass(frozen=True, eq=False)
class Task:
    """Images to enrol and images to search.

    Attributes
    ----------
    probes, gallery : FaceTable
    probe_person, gallery_person : ndarray of shape (n_rows,), object (str)
        Who is on each; none is empty.
    source : str
        Where they come from, in words.
    probe_kind : ndarray of shape (n_probes,), object (str), or None
        What rates are told apart by, such as a distortion; missing ones are empty.
    """

    probes: FaceTable
    probe_person: np.ndarray
    gallery: FaceTable
    gallery_person: np.ndarray
    source: str
    probe_kind: np.ndarray | None = None

    def of_people(self, people: set[str]) -> Task:
        """The images of some people."""
        probe, gallery = (
            np.array([p in people for p in side], bool) for side in (self.probe_person, self.gallery_person)
        )
        kind = None if self.probe_kind is None else self.probe_kind[probe]
        return Task(
            self.probes[probe],
            self.probe_person[probe],
            self.gallery[gallery],
            self.gallery_person[gallery],
            self.source,
            kind,
        )

    @property
    def people(self) -> list[str]:
        """Everybody, sorted."""
        return sorted({*self.probe_person, *self.gallery_person})

    def run(self, metric: str) -> Searches:
        """Search every probe in the gallery.

        Raises
        ------
        ValueError
            If nobody could be enrolled, or there is no probe.
        """
        if not len(self.probes):
            raise ValueError("there must be images to search; all are in the gallery, or their person is unknown.")
        found = search(self.probes.embedding, self.probe_person, self.gallery.embedding, self.gallery_person, metric)
        return replace(found, is_mated=np.isin(self.probe_person.astype(str), self.gallery_person.astype(str)))


def choose_rows(table: FaceTable, person: np.ndarray, wanted: str, labels: pd.DataFrame | None) -> np.ndarray:
    """Rows of a table to enrol: ``first``, or those with ``COLUMN=VALUE``; bool array of shape (n_rows,).

    Raises
    ------
    LabelError
        If there is no such column or value.
    """
    if wanted == FIRST:
        rows = pd.Series(person).where((person != "") & (table.face_index == 0)).reset_index()
        sizes = rows.groupby(0)["index"].transform("size")
        chosen = rows.loc[sizes > 1].groupby(0)["index"].first().to_numpy(np.int64)
        return np.isin(np.arange(len(table)), chosen)
    column, _, value = wanted.partition("=")
    is_chosen = column_of(table, labels, column) == value
    if not is_chosen.any():
        raise LabelError(f"--gallery {wanted}: no image has the value {value!r} in the label column {column!r}.")
    return is_chosen


def column_of(table: FaceTable, labels: pd.DataFrame | None, column: str) -> np.ndarray:
    """A label column for each row, object array (str); missing values are empty.

    Raises
    ------
    LabelError
        If there is no such column.
    """
    if labels is None or column not in labels.columns:
        there = "no labels" if labels is None else list(labels.columns)
        raise LabelError(f"The labels must have a column {column!r}; there are {there}.")
    values = labels_for(table, labels[[column]], allow_missing=True)[column]
    return np.array(["" if pd.isna(value) else str(value) for value in values], dtype=object)


# ------------------------------------------------------------------------------------------------- measuring


def measure_searches(
    task: Task, searches: Searches, metric: str, threshold: float | None = None, file: ThresholdFile | None = None
) -> dict:
    """Everything that is reported on searches, as JSON values; intervals are over people.

    Parameters
    ----------
    task : Task
    searches : Searches
        Of that task.
    metric : str
        What similarities are.
    threshold : float, optional
        To report the errors of.
    file : ThresholdFile, optional
        Where the threshold comes from.
    """
    draws = GroupBootstrap(task.probe_person)
    values = {
        "source": task.source,
        "metric": metric,
        "gallery": _counts(task.gallery, task.gallery_person),
        "probes": _counts(task.probes, task.probe_person),
        "n_mated": int(searches.is_mated.sum()),
        "n_non_mated": int((~searches.is_mated).sum()),
        "ranks": [{"rank": rank, **_rank(searches, rank, draws).to_json()} for rank in RANKS],
        "cmc": [float(rate) for rate in searches.cmc()],
        "operating_points": [_point(searches, limit, draws) for limit in FPIRS],
        "versions": software_versions(),
    }
    if threshold is not None:
        request = None if file is None else str(file.request)
        values["threshold"] = {"value": threshold, "request": request, **_errors(searches, threshold, draws)}
    if task.probe_kind is not None:
        values["kinds"] = [_kind(task, searches, kind, threshold) for kind in sorted(set(task.probe_kind) - {""})]
    return values


def _counts(table: FaceTable, person: np.ndarray) -> dict:
    statuses, counts = np.unique(table.status.astype(str), return_counts=True)
    return {
        "n_people": len(set(person)),
        "n_images": len(table),
        "n_without_face": int((~table.has_embedding).sum()),
        "status_counts": {str(s): int(n) for s, n in zip(statuses, counts, strict=True)},
    }


def _share(is_so: np.ndarray, counted: np.ndarray, draws: GroupBootstrap) -> Estimate:
    """The share of what counts that is so."""
    if not counted.any():
        return Estimate(np.nan, note="there is no such search")
    return draws.subset(counted).of_mean(is_so[counted].astype(float), is_proportion=True).estimate()


def _rank(searches: Searches, rank: int, draws: GroupBootstrap) -> Estimate:
    return _share(searches.mate_rank <= rank, searches.is_mated, draws)


def _point(searches: Searches, limit: float, draws: GroupBootstrap) -> dict:
    """FNIR at the threshold where so many of these very searches for strangers find somebody."""
    try:
        threshold = searches.threshold_at_fpir(limit)
    except ValueError as error:
        refused = {"threshold": None, "fnir": Estimate(np.nan, note=str(error)).to_json()}
        return {"fpir_limit": limit, "n_needed": comparisons_needed(limit), **refused}
    errors = _errors(searches, threshold, draws)
    return {"fpir_limit": limit, "n_needed": comparisons_needed(limit), "threshold": threshold, "fnir": errors["fnir"]}


def _errors(searches: Searches, threshold: float, draws: GroupBootstrap) -> dict:
    is_found = (searches.mate_rank == 1) & (searches.mate_similarity >= threshold)
    is_false = searches.top_similarity >= threshold
    return {
        "fpir": _share(is_false, ~searches.is_mated, draws).to_json(),
        "fnir": _share(~is_found, searches.is_mated, draws).to_json(),
        "macro_f1": macro_f1(searches, threshold).to_json(),
    }


def macro_f1(searches: Searches, threshold: float, seed: int = 0) -> Estimate:
    """Mean F1 over people and "nobody", with an interval by drawing classes; see :meth:`Searches.macro_f1`."""
    f1 = searches.f1_by_class(threshold)
    return GroupBootstrap(np.arange(len(f1)), seed=seed).of_mean(f1).estimate()


def _kind(task: Task, searches: Searches, kind: str, threshold: float | None) -> dict:
    chosen = task.probe_kind == kind
    draws = GroupBootstrap(task.probe_person)
    values = {
        "kind": kind,
        "n_probes": int(chosen.sum()),
        "n_without_face": int((chosen & ~task.probes.has_embedding).sum()),
        "rank_1": _share(searches.mate_rank <= 1, searches.is_mated & chosen, draws).to_json(),
    }
    if threshold is not None:
        is_found = (searches.mate_rank == 1) & (searches.mate_similarity >= threshold)
        values["fnir"] = _share(~is_found, searches.is_mated & chosen, draws).to_json()
    return values


def answers_of(task: Task, searches: Searches, threshold: float | None) -> pd.DataFrame:
    """One row a search: who is there, who was found, how alike; with a threshold also who it is taken for."""
    columns = {"path": task.probes.keys, "identity": searches.identity, "is_enrolled": searches.is_mated}
    columns |= {"found": searches.found, "similarity": searches.top_similarity}
    columns["rank"] = pd.array(np.where(searches.mate_rank > searches.n_people, 0, searches.mate_rank), "Int64")
    if threshold is not None:
        columns["answer"] = searches.decided(threshold)
    frame = pd.DataFrame(columns)
    frame.loc[frame["rank"] == 0, "rank"] = pd.NA
    return frame
