"""Kryptonite ML Challenge: persons with real photos and deepfakes of them, and test pairs without labels.

Images: ``train/images/PERSON/N.jpg`` with ``train/meta.json`` (``{"000000/0.jpg": 0}``, 0 real, 1 fake; the folder
padded with zeros or not), and ``test_public/images/PAIR/{0,1}.jpg``. Columns: ``identity``, the person's folder (for a
fake the person it shows); ``kind``: real or fake; ``split``: train or test_public; ``pair``, the folder of a test pair.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .base import Adapter, Dataset, Problem, assemble, label_frame
from .labelfile import read_json_object
from .listing import list_images

TRAIN, TEST_PARTS = "train", ("test_public", "test_private")
META_NAME = "meta.json"
KINDS = ("real", "fake")


def detect(root: Path) -> bool:
    """Whether there are a folder of images and a ``meta.json`` of the training part."""
    return _find_train(root) is not None


def read(root: Path, *, meta: Path | str | None = None) -> Dataset:
    """The images of the training part and, where they are there, of the test parts.

    Parameters
    ----------
    root : pathlib.Path
        The folder that holds ``train``, or ``train`` itself.
    meta : path, optional
        The file of kinds, absolute or relative to ``root``. By default ``meta.json`` beside the images or in ``root``.

    Raises
    ------
    FileNotFoundError
        If there is no training part.
    ValueError
        If the file of kinds cannot be read or names none of the images.
    """
    found = _find_train(root) if meta is None else (_train_prefix(root), root / meta)
    if found is None:
        raise FileNotFoundError(f"{root} must hold train/images and train/{META_NAME}; it does not.")
    prefix, file = found
    images, problems = list_images(root, f"{prefix}images")
    kinds, more = _read_kinds(file, images)
    persons = label_frame(images, {"identity": [path.split("/")[-2] for path in images]})
    train = assemble("kryptonite", root, images, {"the folder names": persons, file.name: kinds}, problems + more)
    return _with_test_parts(train)


def _with_test_parts(train: Dataset) -> Dataset:
    """The training part and the images of the test parts, which have no label but their pair."""
    listed, problems = [], list(train.problems)
    for part in TEST_PARTS:
        if (train.root / part / "images").is_dir():
            images, more = list_images(train.root, f"{part}/images")
            listed += images
            problems += more
    tables = [train.labels.assign(split=TRAIN)]
    if listed:
        columns = {"split": [p.split("/")[0] for p in listed], "pair": [p.split("/")[-2] for p in listed]}
        tables.append(label_frame(listed, columns))
    labels = pd.concat(tables).sort_index()
    return Dataset(train.name, train.root, tuple(sorted([*train.images, *listed])), labels, tuple(problems))


def _read_kinds(file: Path, images: list[str]) -> tuple[pd.DataFrame, list[Problem]]:
    """Real or fake for every image that the file names, however the folders are padded."""
    by_key: dict[str, list[str]] = {}
    for path in images:
        by_key.setdefault(_without_padding("/".join(path.split("/")[-2:])), []).append(path)
    meta = read_json_object(file)
    rows = [(path, value) for key, value in meta.items() for path in by_key.get(_without_padding(key), [key])]
    kinds = [KINDS[value] if type(value) is int and value in (0, 1) else None for _, value in rows]
    problems = [
        Problem(path, f"the kind in {file.name} must be 0 (real) or 1 (fake); got {str(value)[:60]!r}")
        for (path, value), kind in zip(rows, kinds)
        if kind is None
    ]
    return label_frame([path for path, _ in rows], {"kind": kinds}), problems


def _without_padding(key: str) -> str:
    """The same key for ``000012/0.jpg`` and ``12/0.jpg``."""
    folder, _, name = key.replace("\\", "/").rpartition("/")
    if folder.isdecimal():
        folder = folder.lstrip("0").rjust(1, "0")
    return f"{folder}/{name}"


def _find_train(root: Path) -> tuple[str, Path] | None:
    """The prefix of the training part's paths and its file of kinds, or None."""
    prefix = _train_prefix(root)
    metas = [root / prefix / META_NAME, root / META_NAME]
    existing = [file for file in metas if file.is_file()]
    return (prefix, existing[0]) if existing and (root / prefix / "images").is_dir() else None


def _train_prefix(root: Path) -> str:
    return f"{TRAIN}/" if (root / TRAIN / "images").is_dir() else ""


ADAPTER = Adapter("kryptonite", detect, read)
