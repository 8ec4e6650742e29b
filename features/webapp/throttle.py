"""How many photos an address may send in a minute."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from .refusal import Refused

WINDOW_S = 60.0
#: Addresses that are remembered; the ones that were quiet longest are forgotten first.
_MAX_ADDRESSES = 10_000


class Throttle:
    """Counts the photos of each address over the last minute.

    Parameters
    ----------
    photos_per_minute : int
        0 for any number.
    clock : callable
        Seconds; for tests.
    """

    def __init__(self, photos_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = photos_per_minute
        self._clock = clock
        self._sent: dict[str, deque[tuple[float, int]]] = {}
        self._lock = threading.Lock()

    def admit(self, address: str, n_photos: int = 1) -> None:
        """Count photos of an address.

        Raises
        ------
        Refused
            If they would be too many; they are not counted then.
        """
        if self._limit == 0:
            return
        with self._lock:
            now = self._clock()
            sent = self._recent(address, now)
            n_recent = sum(n for _, n in sent)
            if n_recent and n_recent + n_photos > self._limit:  # one request alone is always let in
                wait_s = WINDOW_S - (now - sent[0][0])
                raise Refused(
                    f"More than {self._limit} photos in a minute came from your address. Wait {wait_s:.0f} seconds, please."
                )
            sent.append((now, n_photos))

    def _recent(self, address: str, now: float) -> deque[tuple[float, int]]:
        sent = self._sent.pop(address, deque())
        while sent and now - sent[0][0] >= WINDOW_S:
            sent.popleft()
        if len(self._sent) >= _MAX_ADDRESSES:
            del self._sent[next(iter(self._sent))]
        self._sent[address] = sent
        return sent
