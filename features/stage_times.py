"""How long each stage of the pipeline took, and for how many items: what says which one limits the speed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: The stages in their order, and what their items are.
STAGE_ITEMS = {"decode": "images", "detect": "images", "align": "images", "embed": "crops", "quality": "images"}


@dataclass
class StageTimes:
    """Seconds and items of each stage that was at work, in the order of :data:`STAGE_ITEMS`.

    Attributes
    ----------
    seconds : dict of str to float
        Time inside the stage; the times of workers that ran side by side add up.
    items : dict of str to int
        Images, or crops that went through the network.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def measured(self, stage: str, n_items: int) -> Iterator[None]:
        """Count the time of this block, and its items, for a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._add(stage, time.perf_counter() - start, n_items)

    def add(self, other: StageTimes) -> None:
        """Count what another worker did."""
        for stage, seconds in other.seconds.items():
            self._add(stage, seconds, other.items[stage])

    def _add(self, stage: str, seconds: float, n_items: int) -> None:
        seconds += self.seconds.get(stage, 0.0)
        n_items += self.items.get(stage, 0)
        self.seconds = _in_order({**self.seconds, stage: seconds})
        self.items = _in_order({**self.items, stage: n_items})

    @property
    def limiting_stage(self) -> str:
        """The stage that took the most time; empty before anything was measured."""
        return max(self.seconds, key=self.seconds.__getitem__, default="")

    def share_of(self, stage: str) -> float:
        """The share of all time that a stage took, in [0, 1]."""
        return self.seconds[stage] / sum(self.seconds.values())

    def lines(self) -> list[str]:
        """A line of text for each stage: seconds, items, milliseconds an item, and which stage is the bottleneck."""
        return [self._line(stage) for stage in self.seconds]

    def _line(self, stage: str) -> str:
        seconds, n_items = self.seconds[stage], self.items[stage]
        each = f"{1000 * seconds / n_items:>9.2f} ms each" if n_items else ""
        mark = "   <- bottleneck" if stage == self.limiting_stage else ""
        return f"{stage:<14}{seconds:>9.2f} s {n_items:>8} {STAGE_ITEMS[stage]:<7}{each}{mark}"


def _in_order(values: dict) -> dict:
    return {stage: values[stage] for stage in STAGE_ITEMS if stage in values}
