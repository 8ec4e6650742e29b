"""Who is on the photos of a folder: names from a gallery, and numbers for people whom nobody named.

The faces of all photos are extracted into a feature table first, as ``feature_extraction.py`` does it, and so is the
gallery; both tables stay in the output folder, so that a second run computes only what is new.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from faceheads.atomic import atomic_path
from faceheads.identification.gallery import (
    UNKNOWN,
    Gallery,
    people_of,
    twins,
)
from faceheads.identification.naming import Names, name_faces
from faceheads.identification.thresholds import (
    DEFAULT_FPIR,
    GROUPING_FMR,
    default_threshold_path,
    highest_fpir,
    refuse_score,
    threshold_at_fmr,
    threshold_at_fpir,
)
from faceheads.table import FaceTable, Status
from faceheads.table_io import read_spec, read_table
from faceheads.verification.threshold_file import ThresholdFile, load_threshold

from ..extract import Extraction
from ..folders import list_images
from ..patience import announced
from ..pipeline import FacePipeline
from ..pipeline_config import PipelineConfig
from .decisions import Decision
from .groups import SHEETS, GroupedFaces, write_groups
from .known import KnownPhoto, known_photos
from .names import GALLERY_CSV, GROUPS_CSV

#: Folder of the feature tables inside the output folder.
TABLES = "embeddings"
_PHOTOS, _GALLERY = "photos.parquet", "gallery.parquet"
NAME = "name"
_N_EXAMPLES = 3


@dataclass(frozen=True)
class PeopleRequest:
    """What is asked about people.

    Attributes
    ----------
    gallery : Path or None
        A folder, ``NAME/*.jpg`` or ``NAME.jpg``, or the feature table of one.
    is_grouped : bool
        Whether faces that nobody named are grouped by person.
    threshold : Path or None
        Threshold file; None for the one that ships.
    fpir : float or None
        Share of strangers that may be given a name, at most; None for the file's own threshold, or the default with the
        file that ships.
    gallery_faces : {"only", "largest", "central"}
        Which face of a gallery photo with several is enrolled; ``only``: none.
    """

    gallery: Path | None = None
    is_grouped: bool = False
    threshold: Path | None = None
    fpir: float | None = None
    gallery_faces: str = "only"

    def load_file(self) -> ThresholdFile:
        """The threshold file."""
        file = load_threshold(default_threshold_path() if self.threshold is None else self.threshold)
        refuse_score(file)
        return file

    def threshold_for(self, file: ThresholdFile, n_photos: int) -> float:
        """The least similarity to be given a name from a gallery of so many photos."""
        if self.fpir is None and self.threshold is not None:
            return file.threshold
        return threshold_at_fpir(file, DEFAULT_FPIR if self.fpir is None else self.fpir, n_photos)

    def threshold_of_groups(self, file: ThresholdFile) -> float:
        """The least similarity of groups that are joined."""
        return threshold_at_fmr(file, GROUPING_FMR) if self.threshold is None else file.threshold


# ------------------------------------------------------------------------------------------------- tables


def extracted(root: Path, images: list[str], config: PipelineConfig, file: Path, what: str, jobs: int) -> FaceTable:
    """The feature table of photos; what the file has already is not computed again."""
    is_other = file.exists() and _digest(file) != FacePipeline(config).table_spec.table_digest
    extraction = Extraction(root, images, config, file, jobs, overwrite=is_other, devices=(config.device,))
    with tqdm(total=len(images), unit="photo", desc=what, file=sys.stderr) as bar:
        extraction.run(lambda n_images, _: bar.update(n_images), announced)
        bar.update(bar.total - bar.n)
    return read_table(file)


def _digest(file: Path) -> str | None:
    spec = read_spec(file)
    return None if spec is None else spec.table_digest


def photos_table(root: Path, photos: list[str], output: Path, config: PipelineConfig, jobs: int) -> FaceTable:
    """The faces of the photos to annotate."""
    return extracted(root, photos, config, output / TABLES / _PHOTOS, "find faces", jobs)


def gallery_table(request: PeopleRequest, output: Path, config: PipelineConfig, jobs: int) -> FaceTable:
    """The photos of the gallery, extracted with the same settings or read.

    Raises
    ------
    ValueError
        If there are none.
    """
    if not request.gallery.is_dir() or not (images := list_images(request.gallery)):
        if request.gallery.suffix in (".parquet", ".csv") and request.gallery.is_file():
            return read_table(request.gallery)
        raise ValueError(
            f"--gallery must be a folder of photos, NAME/*.jpg or NAME.jpg, or a table; got {request.gallery}."
        )
    config = replace(config, faces=request.gallery_faces, min_face_px=0)
    return extracted(request.gallery, images, config, output / TABLES / _GALLERY, "gallery", jobs)


# ------------------------------------------------------------------------------------------------- names


@dataclass(frozen=True, eq=False)
class NamedPhotos:
    """What a gallery said, and what the user should know of it.

    Attributes
    ----------
    decisions : list of tuple of Decision
        About each row of the photos' table.
    names : Names
    summary : dict
        JSON values.
    remarks : list of str
    """

    decisions: list[tuple[Decision, ...]]
    names: Names
    summary: dict
    remarks: list[str]


@dataclass(frozen=True, eq=False)
class Enrolment:
    """The people of a gallery's table, and the least similarity to be given one of their names.

    Attributes
    ----------
    table : FaceTable
    people : ndarray of shape (n_rows,), object (str)
        Who is on each row.
    is_enrolled : ndarray of shape (n_rows,), bool
    gallery : Gallery
    threshold : float
    """

    table: FaceTable
    people: np.ndarray
    is_enrolled: np.ndarray
    gallery: Gallery
    threshold: float

    @classmethod
    def of(cls, table: FaceTable, file: ThresholdFile, request: PeopleRequest) -> Enrolment:
        """Enrol the rows of a table.

        Raises
        ------
        ValueError
            If the threshold belongs to other embeddings or cannot bear so large a gallery, or nobody can be enrolled.
        """
        file.check_spec(table.spec)
        people = people_of(table)
        is_enrolled = table.has_embedding & (table.face_index == 0)
        gallery = Gallery.of(table.embedding[is_enrolled], people[is_enrolled], file.metric)
        return cls(table, people, is_enrolled, gallery, request.threshold_for(file, gallery.n_photos))


def name_photos(table: FaceTable, enrolment: Enrolment, file: ThresholdFile, output: Path) -> NamedPhotos:
    """Name the faces of a table from a gallery; writes ``gallery.csv``."""
    gallery, threshold = enrolment.gallery, enrolment.threshold
    names = name_faces(table, gallery, threshold)
    _write_gallery(output / GALLERY_CSV, enrolment)
    unsure_below = threshold + file.unsure_high - file.threshold
    summary = {
        "people": len(gallery),
        "photos_enrolled": gallery.n_photos,
        "photos_not_enrolled": dict(_failures(enrolment.table)),
        "people_not_enrolled": sorted(set(enrolment.people) - set(gallery.names)),
        "threshold": threshold,
        "metric": file.metric,
        "highest_fpir": highest_fpir(file, threshold, gallery.n_photos),
        "faces_named": int((~np.isin(names.name.astype(str), ["", UNKNOWN])).sum()),
        "faces_unknown": int((names.name == UNKNOWN).sum()),
        "names_taken": names.n_taken,
    }
    decisions = [_decision(names, row, unsure_below) for row in range(len(table))]
    return NamedPhotos(decisions, names, summary, _remarks(summary, gallery, threshold))


def _decision(names: Names, row: int, unsure_below: float) -> tuple[Decision, ...]:
    name, similarity = names.name[row], float(names.similarity[row])
    if not name:
        return ()
    is_unsure = name != UNKNOWN and similarity < unsure_below
    text = name if name == UNKNOWN else f"{name}{'?' if is_unsure else ''} {similarity:.2f}"
    details = {"similarity": similarity, "nearest": names.nearest[row]}
    return (Decision(NAME, text, is_unsure, predicted=name, details=details),)


def _failures(enrolled: FaceTable) -> Counter[str]:
    """Gallery photos that could not be enrolled, by status."""
    return Counter(enrolled.status[~enrolled.has_embedding].tolist())


def _write_gallery(file: Path, enrolment: Enrolment) -> None:
    table = enrolment.table
    columns = {"path": table.path, NAME: enrolment.people, "is_enrolled": enrolment.is_enrolled}
    columns |= {"status": table.status, "reason": table.reason}
    with atomic_path(file) as temporary:
        pd.DataFrame(columns).to_csv(temporary, index=False, lineterminator="\n")


def _remarks(summary: dict, gallery: Gallery, threshold: float) -> list[str]:
    remarks = []
    if lost := summary["people_not_enrolled"]:
        remarks.append(f"{len(lost)} people cannot be named, none of their photos could be enrolled: {_some(lost)}")
    if several := summary["photos_not_enrolled"].get(Status.SEVERAL_FACES.value):
        remarks.append(f"{several} gallery photos show several faces (--gallery_faces largest enrols the largest)")
    if alike := twins(gallery, threshold):
        examples = _some([f"{one} and {other} ({similarity:.2f})" for one, other, similarity in alike])
        remarks.append(f"{len(alike)} pairs of people of the gallery are as alike as one person: {examples}")
    return remarks


def _some(values: list[str]) -> str:
    return ", ".join(values[:_N_EXAMPLES]) + (", …" if len(values) > _N_EXAMPLES else "")


# ------------------------------------------------------------------------------------------------- both


@dataclass(frozen=True, eq=False)
class Recognised:
    """The photos with what is known of their faces.

    Attributes
    ----------
    config : PipelineConfig
        That found the faces.
    known : dict of str to KnownPhoto
    names_shown : list of str
        What must be written on photos.
    summary : dict
        JSON values.
    remarks : list of str
        What the user should know.
    """

    config: PipelineConfig
    known: dict[str, KnownPhoto]
    names_shown: list[str]
    summary: dict
    remarks: list[str]

    def lines(self) -> list[str]:
        """The summary in words."""
        words = {"names": _names_in_words, "groups": _groups_in_words}
        return [line for part, told in self.summary.items() for line in words[part](told)]


def _names_in_words(told: dict) -> list[str]:
    lost = ", ".join(f"{n} {status}" for status, n in told["photos_not_enrolled"].items())
    not_enrolled = f" (not enrolled: {lost}; see {GALLERY_CSV})" if lost else ""
    strangers = f"strangers given a name: at most {100 * told['highest_fpir']:.2g} %"
    return [
        f"  named         {told['faces_named']:>6}",
        f"  unknown       {told['faces_unknown']:>6}",
        f"gallery       {told['people']:>8}   people, {told['photos_enrolled']} photos{not_enrolled}",
        f"threshold     {told['threshold']:>8.4f}   {told['metric']}; {strangers}",
    ]


def _groups_in_words(told: dict) -> list[str]:
    return [
        f"people        {told['people']:>8}   in {told['faces_grouped']} faces, {told['seen_once']} seen once",
        f"  joined from {told['threshold']:>8.4f}   on; sheets in {SHEETS}/, all faces in {GROUPS_CSV}",
    ]


def recognise(
    root: Path, photos: list[str], output: Path, config: PipelineConfig, request: PeopleRequest, jobs: int
) -> Recognised:
    """Find the faces of photos and say who they are.

    Parameters
    ----------
    root : Path
    photos : list of str
        Paths relative to ``root``.
    output : Path
        Where tables are kept.
    config : PipelineConfig
        Must keep all faces, and make the embeddings that the threshold file belongs to.
    request : PeopleRequest
    jobs : int

    Raises
    ------
    ValueError
        If the gallery cannot be used, the threshold file cannot bear it, or a contact sheet might replace a photo.
    """
    if request.is_grouped and any(path.casefold().startswith(f"{SHEETS}/") for path in photos):
        raise ValueError(f"--group writes into the folder {SHEETS!r}, and --img_dir has one of that name. Rename it.")
    file = request.load_file()
    # what is wrong with these is said before all photos are looked at
    joined_from = request.threshold_of_groups(file) if request.is_grouped else None
    enrolment = None
    if request.gallery is not None:
        enrolment = Enrolment.of(gallery_table(request, output, config, jobs), file, request)
    table = photos_table(root, photos, output, config, jobs)
    decisions: list[tuple[Decision, ...]] = [()] * len(table)
    summary, remarks, shown, is_left = {}, [], [], table.has_embedding
    if enrolment is not None:
        named = name_photos(table, enrolment, file, output)
        decisions, remarks, summary["names"] = named.decisions, named.remarks, named.summary
        shown, is_left = sorted(set(named.names.name) - {"", UNKNOWN}), named.names.name == UNKNOWN
    if joined_from is not None:
        groups = GroupedFaces.of(table, np.flatnonzero(is_left), file.metric, joined_from)
        numbered = groups.decisions()
        decisions = [(numbered[i], *own) if i in numbered else own for i, own in enumerate(decisions)]
        write_groups(output, root, table, groups, jobs)
        summary["groups"] = groups.summary()
    return Recognised(config, known_photos(table, decisions), shown, summary, remarks)
