"""Data sets: which images a folder holds, which labels, which identities.

``open_dataset`` recognises the layout of a folder where only one fits, and reads it into a :class:`Dataset`.
The columns that the adapters produce are named the same way everywhere; see :mod:`faceheads.datasets.base`.
"""

from __future__ import annotations

import inspect
from pathlib import Path

from . import (
    adience,
    appa_real,
    celeba,
    facecom,
    fairface,
    folder,
    idemia,
    kryptonite,
    lfw,
    lfwa,
    manifest,
    utkface,
)
from .base import Adapter, Dataset, Problem

#: Every adapter by name. ``folder`` fits any folder and is taken only when nothing else fits.
ADAPTERS: dict[str, Adapter] = {
    adapter.name: adapter
    for adapter in (
        folder.ADAPTER,
        manifest.ADAPTER,
        lfw.ADAPTER,
        lfwa.ADAPTER,
        celeba.ADAPTER,
        utkface.ADAPTER,
        fairface.ADAPTER,
        appa_real.ADAPTER,
        adience.ADAPTER,
        facecom.ADAPTER,
        kryptonite.ADAPTER,
        idemia.ADAPTER,
    )
}

__all__ = ["ADAPTERS", "Adapter", "Dataset", "Problem", "detect_dataset", "open_dataset"]


def open_dataset(root: Path | str, name: str | None = None, **options) -> Dataset:
    """The images and labels of a folder.

    Parameters
    ----------
    root : path
        The folder of the set, or a CSV or Parquet table that lists images.
    name : str, optional
        Name of an adapter, a key of ``ADAPTERS``. By default the only one whose layout fits; ``"folder"`` if none does.
    **options
        Passed to the adapter's ``read``.

    Returns
    -------
    Dataset
        Images, labels by path, and the list of what did not fit.

    Raises
    ------
    FileNotFoundError
        If ``root`` does not exist.
    ValueError
        If there is no adapter of that name, if several layouts fit, or if a label file cannot be read.
    TypeError
        If the adapter has no such option.
    """
    root = Path(root)
    if not root.exists():
        raise FileNotFoundError(f"the data folder must exist; there is no {root}.")
    adapter = _adapter(detect_dataset(root) if name is None else name)
    _check_options(adapter, options)
    return adapter.read(root, **options)


def detect_dataset(root: Path | str) -> str:
    """The name of the adapter whose layout ``root`` has.

    Raises
    ------
    ValueError
        If the layouts of several sets fit; the message lists them.
    """
    root = Path(root)
    fitting = [name for name, adapter in ADAPTERS.items() if name != "folder" and adapter.detect(root)]
    if len(fitting) > 1:
        raise ValueError(
            f"the layout of {root} must be unambiguous; it fits {', '.join(fitting)}. Name one of them (--dataset)."
        )
    return fitting[0] if fitting else "folder"


def _adapter(name: str) -> Adapter:
    if name not in ADAPTERS:
        raise ValueError(f"the data set must be one of {', '.join(sorted(ADAPTERS))}; got {name!r}.")
    return ADAPTERS[name]


def _check_options(adapter: Adapter, options: dict) -> None:
    known = list(inspect.signature(adapter.read).parameters)[1:]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise TypeError(f"options of the data set {adapter.name!r} must be among {known}; got {unknown}.")
