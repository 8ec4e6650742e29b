"""A word to the user when something takes long before the progress bar moves."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds of silence that nobody wonders about.
SILENCE_S = 3.0
PREPARING = "preparing the detector; the first run compiles its code and keeps it for later ones"


@contextmanager
def announced(text: str = PREPARING, after_s: float = SILENCE_S) -> Iterator[None]:
    """Print ``text`` on stderr when the block takes longer than ``after_s`` seconds."""
    timer = threading.Timer(after_s, lambda: print(f"\n{text}", file=sys.stderr, flush=True))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
