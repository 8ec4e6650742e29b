"""FACECOM (COMSYS Hackathon 5): gender in Task A, persons under bad visibility in Task B.

Task A is ``{train,val}/{male,female}/*``; columns ``gender`` and ``split``. Task B is ``{train,val}/PERSON/X.jpg`` with
``PERSON/distortion/X_KIND.jpg``; columns ``identity``, ``split`` and ``distortion``: clean, or one of blurred, foggy,
lowlight, noisy, rainy, resized, sunny. The persons of val are not those of train. The folder to open is that of one task,
or the one above it.
"""

from __future__ import annotations

from pathlib import Path

from .base import Adapter, Dataset, Problem, assemble, label_frame
from .listing import list_folders, list_images
from .values import gender_of

TASK_FOLDERS = {"A": "Task_A", "B": "Task_B"}
PARTS = ("train", "val")
DISTORTION_FOLDER = "distortion"
DISTORTIONS = ("blurred", "foggy", "lowlight", "noisy", "rainy", "resized", "sunny")

#: How many folders of persons are looked at to recognise Task B.
_N_LOOKED_AT = 20


def detect(root: Path) -> bool:
    """Whether the folder is that of a task, or holds one."""
    return any(_task_of(folder) is not None for folder in [root, *_task_folders(root).values()])


def read(root: Path, *, task: str | None = None) -> Dataset:
    """The images of one task.

    Parameters
    ----------
    root : pathlib.Path
    task : {"A", "B"}, optional
        By default the only one there is.

    Raises
    ------
    ValueError
        If the task cannot be told, or is not there.
    """
    task, root = _choose(root, task)
    images, problems = list_images(root)
    reader = _read_gender if task == "A" else _read_person
    rows = {path: row for path in images if (row := reader(path)) is not None}
    columns = ["gender", "split"] if task == "A" else ["identity", "split", "distortion"]
    labels = label_frame(
        list(rows), {name: [row[position] for row in rows.values()] for position, name in enumerate(columns)}
    )
    problems += [_unknown_distortion(path) for path, row in rows.items() if row[-1] is None]
    return assemble("facecom", root, images, {"the folder names": labels}, problems)


def _read_gender(path: str) -> tuple[str, str] | None:
    """Gender and part of an image of Task A, or None if it lies elsewhere."""
    part, *folders = path.split("/")[:-1]
    gender = gender_of(folders[0]) if folders else None
    return (gender, part) if gender is not None and part in PARTS else None


def _read_person(path: str) -> tuple[str, str, str | None] | None:
    """Identity, part and distortion (None if unknown) of an image of Task B, or None if it lies elsewhere."""
    *folders, name = path.split("/")
    if len(folders) not in (2, 3) or folders[0] not in PARTS or folders[2:] not in ([], [DISTORTION_FOLDER]):
        return None
    if len(folders) == 2:
        return folders[1], folders[0], "clean"
    kind = name.rpartition(".")[0].rpartition("_")[2]
    return folders[1], folders[0], kind if kind in DISTORTIONS else None


def _unknown_distortion(path: str) -> Problem:
    return Problem(path, f"malformed name: it must end in one of {', '.join(f'_{kind}' for kind in DISTORTIONS)}")


def _choose(root: Path, task: str | None) -> tuple[str, Path]:
    """The task and its folder."""
    own = _task_of(root)
    found = {own: root} if own is not None else _task_folders(root)
    wanted = list(found) if task is None else [name for name in found if name == task]
    if len(wanted) != 1:
        raise ValueError(
            f"task must name one of the tasks in {root}, {list(found)}; got {task!r}. Open the folder of a task "
            "({train,val}/{male,female}, or {train,val}/PERSON/distortion), or pass task='A' or task='B'."
        )
    return wanted[0], found[wanted[0]]


def _task_folders(root: Path) -> dict[str, Path]:
    return {task: root / name for task, name in TASK_FOLDERS.items() if _task_of(root / name) == task}


def _task_of(folder: Path) -> str | None:
    """``"A"`` when every part holds genders only, ``"B"`` when a person has distorted images, else None."""
    inside = {part: list_folders(folder / part) for part in PARTS}
    names = [name for part in PARTS for name in inside[part]]
    if names and all(gender_of(name) is not None for name in names):
        return "A"
    persons = [folder / part / name for part in PARTS for name in inside[part][:_N_LOOKED_AT]]
    return "B" if any((person / DISTORTION_FOLDER).is_dir() for person in persons) else None


ADAPTER = Adapter("facecom", detect, read)
