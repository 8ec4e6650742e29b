"""The packages of the extra ``report``."""

from __future__ import annotations

from types import ModuleType

from ..extra import MissingPackage, require_extra

__all__ = ["MissingPackage", "require"]


def require(*names: str, instead: str = "") -> list[ModuleType]:
    """Import packages that reports need; see :func:`faceheads.extra.require_extra`.

    Raises
    ------
    MissingPackage
        If one is not installed.
    """
    return require_extra("report", "The report", *names, instead=instead)
