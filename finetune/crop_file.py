"""Crops decoded once: one memory-mapped array that training gathers its batches from.

``NAME.npy`` holds the pixels, ``NAME.json`` beside it what they are: the key and the sha256 of the photo of each crop, and
how it was cut out. Both are made of the folder that ``feature_extraction.py --save_crops`` wrote and of its feature table.
The file is used again for as long as the table's keys, photos and crops are the same; content decides, not dates.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from faceheads.atomic import atomic_path, write_text
from faceheads.images.reading import read_image
from faceheads.images.unreadable import UnreadableImage
from faceheads.pool import OrderedPool
from faceheads.table import FaceTable

#: Crops of one task of a worker.
TASK_SIZE = 256
_N_EXAMPLES = 3


class CropFileError(ValueError):
    """Crops cannot be read or do not fit the feature table; the message says what to do."""


@dataclass(frozen=True, eq=False)
class CropFile:
    """Crops and what they are of.

    Attributes
    ----------
    keys : tuple of str, length n_crops
        Of the faces, as in the feature table.
    sha256 : tuple of str, length n_crops
        Of the photos.
    landmark_scheme : str
    crop : dict
        How the crops were cut out, as in :class:`faceheads.spec.EmbedderSpec`.
    pixels : ndarray of shape (n_crops, height, width, 3), uint8, RGB
        Memory-mapped, read only.
    """

    keys: tuple[str, ...]
    sha256: tuple[str, ...]
    landmark_scheme: str
    crop: dict
    pixels: np.ndarray

    def __len__(self) -> int:
        return len(self.keys)


def pack_crops(folder: str | os.PathLike, table: FaceTable, target: str | os.PathLike, jobs: int = 1) -> CropFile:
    """The crops of every row of a table that has an embedding, in its order; decoded only where that was not done yet.

    Parameters
    ----------
    folder : path
        What ``--save_crops`` wrote: ``KEY.png``.
    table : FaceTable
        Of the same extraction.
    target : path
        ``NAME.npy``; its JSON lies beside it.
    jobs : int, default=1
        Processes that decode.

    Raises
    ------
    CropFileError
        If the table has no specification or no faces, or a crop is missing, unreadable, or of another size.
    """
    about = _description(table)
    target = Path(target)
    if _read_description(target) != about:
        _write_crops(Path(folder), about["keys"], target, jobs)
        write_text(target.with_suffix(".json"), json.dumps(about) + "\n")
    return open_crop_file(target)


def open_crop_file(path: str | os.PathLike) -> CropFile:
    """The crops that :func:`pack_crops` wrote.

    Raises
    ------
    CropFileError
        If a file is missing or damaged, or the two do not fit.
    """
    path = Path(path)
    about = _read_description(path)
    if about is None:
        raise CropFileError(f"{path} must be crops with a JSON beside it; it is not. Make it again from the crops.")
    try:
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
        crops = CropFile(tuple(about["keys"]), tuple(about["sha256"]), about["landmark_scheme"], about["crop"], pixels)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise CropFileError(f"{path} is damaged ({error}). Remove it; it is made again from the crops.") from error
    is_rgb = pixels.dtype == np.uint8 and pixels.ndim == 4 and pixels.shape[3] == 3
    if not (is_rgb and len(pixels) == len(crops) == len(crops.sha256)):
        raise CropFileError(
            f"{path} must hold {len(crops)} RGB crops of uint8; got {pixels.dtype} of shape {pixels.shape}. Remove it."
        )
    return crops


def _description(table: FaceTable) -> dict:
    if table.spec is None:
        raise CropFileError("The feature table must say how its crops were made; it has no specification.")
    is_face = table.has_embedding
    if not is_face.any():
        raise CropFileError("The feature table must have faces; no row has an embedding.")
    embedder = table.spec.embedder
    if embedder.jitter:
        raise CropFileError("The crops must be those of the faces themselves; extract again without --jitter.")
    return {
        "landmark_scheme": embedder.landmark_scheme,
        "crop": dict(embedder.crop),
        "keys": [str(key) for key in table.keys[is_face]],
        "sha256": [str(value) for value in table.sha256[is_face]],
    }


def _read_description(path: Path) -> dict | None:
    """What the JSON beside a crop file says; None where one of the two is missing or the JSON is damaged."""
    beside = path.with_suffix(".json")
    if not (path.is_file() and beside.is_file()):
        return None
    try:
        about = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return about if isinstance(about, dict) else None


def _write_crops(folder: Path, keys: Sequence[str], target: Path, jobs: int) -> None:
    _check_there(folder, keys)
    target.with_suffix(".json").unlink(missing_ok=True)
    shape_hw3 = _decode(folder, keys[0]).shape
    tasks = [keys[start : start + TASK_SIZE] for start in range(0, len(keys), TASK_SIZE)]
    with atomic_path(target) as temporary:
        pixels = np.lib.format.open_memmap(temporary, "w+", np.uint8, (len(keys), *shape_hw3))
        with OrderedPool(partial(_decode_all, folder, shape_hw3), _all_died, jobs if len(tasks) > 1 else 1) as pool:
            for number, crops in enumerate(pool.map(tasks)):
                pixels[number * TASK_SIZE : number * TASK_SIZE + len(crops)] = crops
        pixels.flush()


def _check_there(folder: Path, keys: Sequence[str]) -> None:
    missing = [key for key in keys if not (folder / f"{key}.png").is_file()]
    if missing:
        raise CropFileError(
            f"{folder} must hold a crop for every face of the table; {len(missing)} of {len(keys)} are missing, for "
            f"example {missing[:_N_EXAMPLES]}. Extract with --save_crops {folder} --overwrite."
        )


def _decode(folder: Path, key: str) -> np.ndarray:
    try:
        return read_image(folder / f"{key}.png").rgb
    except UnreadableImage as error:
        raise CropFileError(f"The crop {folder / key}.png cannot be read: {error}. Extract it again.") from error


def _decode_all(folder: Path, shape_hw3: tuple[int, int, int], keys: Sequence[str]) -> np.ndarray:
    crops = np.empty((len(keys), *shape_hw3), np.uint8)
    for i, key in enumerate(keys):
        crop = _decode(folder, key)
        if crop.shape != shape_hw3:
            raise CropFileError(
                f"All crops must have the size {shape_hw3[:2]}; that of {key!r} has {crop.shape[:2]}. "
                f"{folder} holds crops of several extractions."
            )
        crops[i] = crop
    return crops


def _all_died(keys: Sequence[str]) -> np.ndarray:
    raise CropFileError(f"The process that decoded crops died at one of {list(keys[:_N_EXAMPLES])} and following.")
