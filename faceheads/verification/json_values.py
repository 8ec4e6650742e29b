"""Values of JSON files that strangers may have written, checked one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..metrics.intervals import Estimate


def exactly(values: Mapping, names: set[str], what: str) -> None:
    """Raise ValueError unless an object has these fields and no other."""
    if set(values) != names:
        raise ValueError(f"{what} must have exactly the fields {sorted(names)}; got {sorted(map(str, values))}.")


def number(value: object) -> float:
    """A finite number; anything else raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"a number is wanted; got {value!r}.")
    return float(value)


def count(value: object) -> int:
    """A whole number from 0 on; anything else raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"a count is wanted; got {value!r}.")
    return value


def rate(values: Mapping) -> Estimate:
    """An error rate with its interval, all in [0, 1] or undefined; anything else raises ValueError."""
    exactly(values, {"value", "low", "high", "note"}, "a rate")
    for name in ("value", "low", "high"):
        if values[name] is not None:
            number(values[name])
    estimate = Estimate.from_json(dict(values))
    if not all(0 <= x <= 1 for x in (estimate.value, estimate.low, estimate.high) if not math.isnan(x)):
        raise ValueError("a rate and its limits must be in [0, 1].")
    return estimate
