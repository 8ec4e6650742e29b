"""Work on a batch whose failing items leave their neighbours alone: failures that pictures cause become sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .align import AlignmentError
from .opencv import import_cv2


def isolated(function: Callable[[list], list], items: Sequence, what: str) -> list:
    """``function(items)``; where that fails, each item alone, and a sentence in place of the result of one that fails.

    Failures that pictures cause (compiled code refusing a shape, memory) become data; mistakes of the program
    (``TypeError``, ``KeyError`` …) are raised.
    """
    failures = (RuntimeError, ValueError, MemoryError, AlignmentError, import_cv2().error)
    if not items:
        return []
    try:
        return function(list(items))
    except failures as error:
        if len(items) == 1:
            return [f"{what} failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"]
    return [isolated(function, [item], what)[0] for item in items]
