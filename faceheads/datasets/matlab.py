"""The attribute tables of LFWA, MATLAB 7.3 files, which are HDF5.

Three variables are read: ``label``, numbers (one column per image as HDF5 stores MATLAB's matrix), ``AttrName`` and
``name``, cell arrays of texts, which HDF5 stores as references. Only what lies in the file itself is followed.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import h5py

#: The most images and attributes that a file may have; LFWA has 13,143 and 73.
MAX_IMAGES = 2_000_000
MAX_ATTRIBUTES = 1_000

#: The most labels, images times attributes.
MAX_LABELS = 100_000_000

#: The longest text in a cell, in characters.
MAX_TEXT_LENGTH = 1_000


def read_attribute_mat(path: Path) -> tuple[list[str], list[str], np.ndarray]:
    """Paths of images, names of attributes, and whether each image has each attribute.

    Returns
    -------
    paths : list of str, length n_images
        With forward slashes.
    attributes : list of str, length n_attributes
    present : ndarray of shape (n_images, n_attributes), int8
        1 where the label is greater than 0, else 0.

    Raises
    ------
    ImportError
        If h5py is not installed.
    ValueError
        If the file is not MATLAB 7.3, lacks a variable, or sizes contradict each other or exceed the limits.
    """
    h5py = _import_h5py()
    if not h5py.is_hdf5(path):
        raise ValueError(f"{path} must be a MATLAB 7.3 (HDF5) file. Write it in MATLAB with save(…, '-v7.3').")
    try:
        with h5py.File(path, "r") as file:
            attributes = _texts(file, "AttrName", MAX_ATTRIBUTES, path)
            paths = [text.replace("\\", "/") for text in _texts(file, "name", MAX_IMAGES, path)]
            return paths, attributes, _present(file, (len(paths), len(attributes)), path)
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged: {error}.") from error


def _import_h5py() -> ModuleType:
    try:
        import h5py
    except ImportError as error:
        raise ImportError("reading MATLAB 7.3 files needs h5py: pip install 'faceheads[lfwa]'.") from error
    return h5py


def _texts(file: h5py.File, variable: str, max_count: int, path: Path) -> list[str]:
    """The texts of a cell array."""
    cells = _dataset(file, variable, path)
    if cells.size > max_count or cells.dtype.kind != "O":
        raise ValueError(
            f"{variable} in {path} must be a cell array of at most {max_count} texts; got {cells.size} of {cells.dtype}."
        )
    return [_text(file, reference, variable, path) for reference in cells[()].ravel()]


def _text(file: h5py.File, reference: h5py.Reference, variable: str, path: Path) -> str:
    if not reference:
        raise ValueError(f"{variable} in {path} must hold texts only; a cell is empty.")
    codes = file[reference]
    if _is_foreign(codes) or codes.dtype != np.uint16 or codes.size > MAX_TEXT_LENGTH:
        raise ValueError(f"{variable} in {path} must hold texts of at most {MAX_TEXT_LENGTH} characters only.")
    return codes[()].astype("<u2").tobytes().decode("utf-16-le")


def _present(file: h5py.File, shape: tuple[int, int], path: Path) -> np.ndarray:
    """Which labels are positive, one row per image whichever way the matrix is stored."""
    label = _dataset(file, "label", path)
    if label.size > MAX_LABELS:
        raise ValueError(f"label in {path} must hold at most {MAX_LABELS} numbers; it holds {label.size}.")
    if label.shape not in {shape, shape[::-1]} or label.dtype.kind not in "fiub":
        raise ValueError(
            f"label in {path} must hold numbers for {shape[0]} images and {shape[1]} attributes; got {label.dtype} of "
            f"shape {label.shape}."
        )
    values = label[()] if label.shape == shape and shape[0] != shape[1] else label[()].T
    if not np.isfinite(values).all():
        raise ValueError(f"label in {path} must hold finite numbers; some are not.")
    return (values > 0).astype(np.int8)


def _dataset(file: h5py.File, variable: str, path: Path) -> h5py.Dataset:
    """A variable of the file, or ValueError if it is missing or would be read from somewhere else."""
    h5py = _import_h5py()
    link_type = type(file.get(variable, getlink=True))
    if link_type is not h5py.HardLink:
        raise ValueError(f"{path} must hold the variable {variable!r}; it holds {sorted(file)[:10]}.")
    dataset = file[variable]
    if _is_foreign(dataset):
        raise ValueError(f"the variable {variable!r} of {path} must be an array stored in the file itself.")
    return dataset


def _is_foreign(item: h5py.Dataset | h5py.Group) -> bool:
    """Whether the item is no array, or has its numbers in other files."""
    return not hasattr(item, "dtype") or item.is_virtual or bool(item.external)
