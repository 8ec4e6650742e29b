"""The Idemia challenge: faces of 80 × 80 pixels with an unknown binary criterion, scored for men and women alike.

Images: ``train/NNNNNN.jpg`` and ``test/NNNNNN.jpg``; labels: ``train.txt`` (or ``label_train.txt``), separated by tabs,
without a header: image, criterion (-1 or 1), gender (-1 woman, 1 man); ``test.txt``: one image a line. Columns:
``criterion``, 0 or 1; ``gender``; ``split``: train or test. The test part has neither criterion nor gender.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .base import Adapter, Dataset, Problem, assemble, label_frame, path_index
from .labelfile import read_lines, read_table
from .listing import first_images, list_images
from .values import number_of

LABEL_FILES = ("train.txt", "label_train.txt")
TEST_LIST = "test.txt"
_COLUMNS = ["image", "criterion", "gender"]
_CRITERIA = {-1.0: 0.0, 1.0: 1.0}
_GENDERS = {-1.0: "female", 1.0: "male"}


def detect(root: Path) -> bool:
    """Whether there are a label file of a usual name and images directly in ``train``."""
    return _label_file(root) is not None and bool(first_images(root / "train", 1))


def read(root: Path) -> Dataset:
    """The images of both parts, those of the training part with criterion and gender.

    Raises
    ------
    FileNotFoundError
        If there is no label file.
    ValueError
        If the label file cannot be read or names none of the images.
    """
    file = _label_file(root)
    if file is None:
        raise FileNotFoundError(f"{root} must hold {' or '.join(LABEL_FILES)}; it holds neither.")
    images, problems = list_images(root)
    labels, more = _read_labels(file)
    train = assemble(
        "idemia", root, _part(images, "train"), {file.name: labels.assign(split="train")}, problems + more
    )
    test_images = _part(images, "test")
    if not test_images:
        return train
    test = assemble("idemia", root, test_images, _test_lists(root, test_images))
    return Dataset(
        name="idemia",
        root=root,
        images=tuple(sorted([*train.images, *test.images])),
        labels=pd.concat([train.labels, test.labels]).sort_index(),
        problems=train.problems + test.problems,
    )


def read_test_list(root: Path) -> list[str]:
    """The paths of the test images in the order in which predictions are handed in.

    Raises
    ------
    FileNotFoundError
        If there is no ``test.txt``.
    ValueError
        If it names an image twice.
    """
    paths = [_below("test", line) for _, line in read_lines(root / TEST_LIST)]
    if len(set(paths)) < len(paths):
        raise ValueError(
            f"{root / TEST_LIST} must name each image once; it has {len(paths) - len(set(paths))} repetitions."
        )
    return paths


def _test_lists(root: Path, images: list[str]) -> dict[str, pd.DataFrame]:
    listed = read_test_list(root) if (root / TEST_LIST).is_file() else images
    return {TEST_LIST: label_frame(listed, {"split": ["test"] * len(listed)})}


def _read_labels(file: Path) -> tuple[pd.DataFrame, list[Problem]]:
    table = read_table(file, "\t", _COLUMNS)
    table = table.set_index(path_index(_below("train", name) for name in table["image"]))
    criteria = table["criterion"].map(number_of).map(_CRITERIA)
    genders = table["gender"].map(number_of).map(_GENDERS).astype(str)
    problems = [
        Problem(path, f"{name} in {file.name} must be -1 or 1; got {text!r}")
        for name, values in (("criterion", criteria), ("gender", genders))
        for path, text in table[name][values.isna()].items()
    ]
    if criteria.notna().all():
        criteria = criteria.astype("int64")
    return pd.DataFrame({"criterion": criteria, "gender": genders}), problems


def _part(images: list[str], part: str) -> list[str]:
    return [path for path in images if path.startswith(f"{part}/")]


def _below(part: str, name: str) -> str:
    """The path of an image that a list names with or without its folder."""
    return f"{part}/{name.replace(chr(92), '/').removeprefix(f'{part}/')}"


def _label_file(root: Path) -> Path | None:
    return next((root / name for name in LABEL_FILES if (root / name).is_file()), None)


ADAPTER = Adapter("idemia", detect, read)
