"""Optional packages, asked for by name before any work is done."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


class MissingPackage(ImportError):
    """A package of an extra is not installed; the message says how to get it."""


def require_extra(extra: str, user: str, *names: str, instead: str = "") -> list[ModuleType]:
    """Import optional packages.

    Parameters
    ----------
    extra : str
        That brings them, such as ``"report"``.
    user : str
        What needs them, as the beginning of a sentence.
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
        raise MissingPackage(
            f'{user} needs {package}, which is not installed: pip install "faceheads[{extra}]"{other}.'
        ) from error
