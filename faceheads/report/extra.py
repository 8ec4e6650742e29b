"""The packages of the extra ``report``, asked for by name before any work is done."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

EXTRA = 'pip install "faceheads[report]"'


class MissingPackage(ImportError):
    """A package that reports need is not installed; the message says how to get it."""


def require(*names: str, instead: str = "") -> list[ModuleType]:
    """Import optional packages.

    Parameters
    ----------
    names : str
        Modules, such as ``"matplotlib.figure"``.
    instead : str
        What the user can do without them, as the end of a sentence.

    Raises
    ------
    MissingPackage
        If one is not installed.
    """
    try:
        return [import_module(name) for name in names]
    except ImportError as error:
        package = str(error.name).partition(".")[0]
        other = f", or {instead}" if instead else ""
        raise MissingPackage(f"The report needs {package}, which is not installed: {EXTRA}{other}.") from error
