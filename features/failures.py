"""How many images may fail before a run counts as failed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from faceheads.table import Status


@dataclass(frozen=True)
class Allowance:
    """A number of images, or a share of them in percent."""

    number: float
    is_share: bool

    @classmethod
    def parse(cls, text: str) -> Allowance:
        """The allowance that ``10`` or ``5%`` stands for.

        Raises
        ------
        ValueError
            If the text has another form or the number is negative.
        """
        is_share = text.endswith("%")
        try:
            number = float(text.rstrip("%"))
        except ValueError:
            number = -1.0
        if not number >= 0 or (not is_share and number != int(number)):
            raise ValueError(f"--max_failures must be a number such as 10 or a share such as 5%; got {text!r}.")
        return cls(number, is_share)

    def exit_code(self, status_counts: Mapping[str, int]) -> int:
        """0, or 1 with a sentence on stderr when more images were unreadable or failed than allowed."""
        n_failed = status_counts[Status.UNREADABLE.value] + status_counts[Status.FAILED.value]
        limit = self.number / 100 * sum(status_counts.values()) if self.is_share else self.number
        if n_failed <= limit:
            return 0
        allowed = f"{self.number:g}%" if self.is_share else f"{self.number:g}"
        n_images = sum(status_counts.values())
        print(
            f"{n_failed} of {n_images} images were unreadable or failed, more than --max_failures {allowed} allows",
            file=sys.stderr,
        )
        return 1
