"""Rows of the tables: what is written about a photo, a face, a decision.

A *record* is the JSON object of one photo in ``faces.json``; the rows of all other tables are computed from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from .decisions import ORIGINAL_ATTRIBUTES, Decision, FaceDecisions

#: Where the original tables have the box: integers, the far sides inside the box.
ORIGINAL_BOX = ("top", "right", "bottom", "left")
#: Between the names of one photo.
LIST_SEPARATOR = "; "
_FACE_COLUMNS = {
    "path": pa.string(),
    "face_index": pa.int32(),
    "face_number": pa.int32(),
    "status": pa.string(),
    "reason": pa.string(),
    "x0": pa.float64(),
    "y0": pa.float64(),
    "x1": pa.float64(),
    "y1": pa.float64(),
    "detection_score": pa.float64(),
    "detector": pa.string(),
}
_PHOTO_COLUMNS = ("path", "status", "reason", "height", "width", "picture", "table", "n_faces")
_FIXED_COLUMNS = {*_FACE_COLUMNS, *_PHOTO_COLUMNS, *ORIGINAL_BOX}


@dataclass(frozen=True, eq=False)
class PhotoRecord:
    """What became of one photo.

    Attributes
    ----------
    path : str
        Relative to the photo folder, with forward slashes.
    image : ndarray of shape (height, width, 3), uint8, RGB, or None
        None for a photo that could not be read.
    faces : tuple of FaceDecisions
        In the order of the detector.
    status : str
        A value of :class:`faceheads.table.Status`.
    reason : str
        Why there are no decisions; may be empty.
    """

    path: str
    image: np.ndarray | None = None
    faces: tuple[FaceDecisions, ...] = ()
    status: str = "ok"
    reason: str = ""


def original_box(box_xyxy: Sequence[float], image_hw: tuple[int, int]) -> tuple[int, int, int, int]:
    """Top, right, bottom, left as face_recognition gives them: whole pixels, sides inclusive, cut to the image.

    The far sides are cut to the width and the height, not to one less, as in the original.

    Examples
    --------
    >>> original_box((-3.0, 10.0, 40.0, 51.0), (100, 39))
    (10, 39, 50, 0)
    """
    left, top, far_right, far_bottom = (round(float(v)) for v in box_xyxy)
    height, width = image_hw
    return max(0, top), min(far_right - 1, width), min(far_bottom - 1, height), max(0, left)


def photo_json(record: PhotoRecord, picture: str, table: str) -> dict:
    """The JSON object of a photo; numbers that are undefined are null."""
    height, width = record.image.shape[:2] if record.image is not None else (None, None)
    return {
        "path": record.path,
        "status": str(record.status),
        "reason": record.reason,
        "height": height,
        "width": width,
        "picture": picture,
        "table": table,
        "faces": [_face_json(index, face) for index, face in enumerate(record.faces)],
    }


def _face_json(index: int, face: FaceDecisions) -> dict:
    score = face.face.detection_score
    return {
        "face_index": index,
        "face_number": index + 1,
        "status": str(face.status),
        "reason": face.reason,
        "box_xyxy": [float(v) for v in face.face.box_xyxy],
        "detection_score": float(score) if math.isfinite(score) else None,
        "detector": face.face.detector,
        "decisions": [_decision_json(decision) for decision in face.decisions],
        "attributes": {name: float(p) for name, p in face.attributes.items()},
    }


def _decision_json(decision: Decision) -> dict:
    common = {"task": decision.task, "text": decision.text}
    if decision.value is not None:
        error = None if decision.error is None else float(decision.error)
        return {**common, "value": float(decision.value), "error": error}
    probabilities = decision.probabilities if decision.probabilities is not None else {}
    classes = {
        "predicted": decision.predicted,
        "is_unsure": decision.is_unsure,
        "probabilities": {name: float(p) for name, p in probabilities.items()},
    }
    return common | classes | ({"details": dict(decision.details)} if decision.details else {})


@dataclass
class Columns:
    """The columns that decisions fill, gathered face by face.

    Attributes
    ----------
    types : dict of str to pyarrow type
        Columns of the table of faces in order: for classes the task, ``TASK_is_unsure`` and ``TASK_CLASS`` with the
        probability; for numbers the task and ``TASK_error``; ``TASK_KEY`` for details; ``attribute_NAME`` for raw
        attributes.
    classes : dict of str to list of str
        Tasks with classes, which the table of photos counts.
    listed : list of str
        Tasks whose classes are an open set, such as names, which the table of photos lists.
    """

    types: dict[str, pa.DataType] = field(default_factory=dict)
    classes: dict[str, list[str]] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)
    _owners: dict[str, str] = field(default_factory=dict)

    def add(self, face: FaceDecisions) -> None:
        """Makes room for what is known about one more face.

        Raises
        ------
        ValueError
            If two tasks or classes would share a column.
        """
        for decision in face.decisions:
            self._add_decision(decision)
        for name in face.attributes:
            self._add(f"attribute_{name}", pa.float64(), "attributes")

    def _add_decision(self, decision: Decision) -> None:
        task = decision.task
        if decision.value is not None:
            self._add(task, pa.float64(), f"number {task}")
            self._add(f"{task}_error", pa.float64(), f"number {task}")
            return
        self._add(task, pa.string(), f"classes {task}")
        self._add(f"{task}_is_unsure", pa.bool_(), f"classes {task}")
        for key, value in decision.details.items():
            kind = pa.string() if isinstance(value, str) else pa.float64()
            self._add(f"{task}_{key}", kind, f"detail {key!r} of {task}")
        if decision.probabilities is not None:
            self._add_classes(task, decision.probabilities)
        elif decision.predicted is not None and task not in self.listed:
            self.listed.append(task)

    def _add_classes(self, task: str, names: Iterable[str]) -> None:
        known = self.classes.setdefault(task, [])
        self._reserve(f"{task}_unsure", f"faces unsure of {task}")
        for name in names:
            if name not in known:
                known.append(name)
            self._add(f"{task}_{name}", pa.float64(), f"class {name!r} of {task}")

    def _add(self, column: str, kind: pa.DataType, owner: str) -> None:
        self._reserve(column, owner)
        self.types[column] = kind

    def _reserve(self, column: str, owner: str) -> None:
        other = "the photo or face itself" if column in _FIXED_COLUMNS else self._owners.setdefault(column, owner)
        if other != owner:
            raise ValueError(
                f"Each column of the tables must have one meaning; {column!r} would stand for {owner} and for {other}. "
                "Rename the task or the class."
            )

    def face_schema(self) -> pa.Schema:
        """Columns of the table of faces."""
        return pa.schema([*_FACE_COLUMNS.items(), *self.types.items()])

    def photo_header(self) -> list[str]:
        """Columns of the table of photos: for every task the faces of each class, and the unsure ones, or their list."""
        return [*_PHOTO_COLUMNS, *self.count_columns(), *self.listed]

    def count_columns(self) -> list[str]:
        """The columns that count faces."""
        return [f"{task}_{name}" for task, names in self.classes.items() for name in (*names, "unsure")]


def face_rows(photo: Mapping) -> Iterator[dict]:
    """Rows of the table of faces, from the JSON object of a photo."""
    for face in photo["faces"]:
        row = {name: face[name] for name in _FACE_COLUMNS if name in face}
        yield {**row, "path": photo["path"], **dict(zip(("x0", "y0", "x1", "y1"), face["box_xyxy"])), **_cells(face)}


def _cells(face: Mapping) -> dict:
    """What the columns of the decisions hold for one face."""
    cells = {}
    for decision in face["decisions"]:
        task = decision["task"]
        if "value" in decision:
            cells |= {task: decision["value"], f"{task}_error": decision["error"]}
        else:
            cells |= {task: decision["predicted"], f"{task}_is_unsure": decision["is_unsure"]}
            cells |= {f"{task}_{name}": p for name, p in decision["probabilities"].items()}
            cells |= {f"{task}_{key}": value for key, value in decision.get("details", {}).items()}
    return cells | {f"attribute_{name}": p for name, p in face["attributes"].items()}


def photo_row(photo: Mapping, columns: Columns) -> dict:
    """The row of the table of photos: each face counts for one class of a task, or as unsure; names are listed."""
    row = {name: photo[name] for name in _PHOTO_COLUMNS if name in photo} | {"n_faces": len(photo["faces"])}
    row |= dict.fromkeys(columns.count_columns(), 0)
    row |= {task: _listed(photo, task) for task in columns.listed}
    for face in photo["faces"]:
        for decision in face["decisions"]:
            if decision.get("predicted") is not None and decision["task"] not in columns.listed:
                counted = "unsure" if decision["is_unsure"] else decision["predicted"]
                row[f"{decision['task']}_{counted}"] += 1
    return row


def _listed(photo: Mapping, task: str) -> str:
    """What was decided about the faces of a photo in an open set of classes, in their order."""
    decisions = [decision for face in photo["faces"] for decision in face["decisions"] if decision["task"] == task]
    return LIST_SEPARATOR.join(decision["predicted"] for decision in decisions if decision["predicted"] is not None)


def own_rows(record: PhotoRecord) -> tuple[list[str], list[dict]]:
    """Header and rows of the table beside one annotated photo.

    With the attributes Male, Asian, White and Black they are exactly the original's: these four, then the box. Other
    heads have their own columns in front of the box.
    """
    boxes = [
        dict(zip(ORIGINAL_BOX, original_box(f.face.box_xyxy, record.image.shape[:2]), strict=True))
        for f in record.faces
    ]
    if any(set(ORIGINAL_ATTRIBUTES) <= set(f.attributes) for f in record.faces):
        cells = [
            {name: f.attributes[name] for name in ORIGINAL_ATTRIBUTES if name in f.attributes} for f in record.faces
        ]
        header = list(ORIGINAL_ATTRIBUTES)
    else:
        columns = Columns()
        for face in record.faces:
            columns.add(face)
        cells = [_cells(_face_json(0, face)) for face in record.faces]
        header = list(columns.types)
    return [*header, *ORIGINAL_BOX], [{**cell, **box} for cell, box in zip(cells, boxes, strict=True)]
