"""Intervals by resampling groups.

A *group* is what is drawn as a whole: all rows of one person, or all copies of one image. Drawing rows instead would treat
ten photos of a person as ten persons and give intervals that are too narrow. All metrics of one report use the same draws,
so that a mean over attributes, or the difference of two heads, has an interval too.

References
----------
B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile interval).
E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import scipy.sparse

#: Share of true values that an interval is to cover.
LEVEL = 0.95
N_RESAMPLES = 1000
#: With fewer groups the percentile interval is too narrow to be believed.
FEW_GROUPS = 20
#: Undefined draws are left out; when more than this share is undefined the interval says so.
MANY_UNDEFINED = 0.05
#: Cells of one block of draws, to bound memory.
_BLOCK_CELLS = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A measured number with its interval.

    Attributes
    ----------
    value : float
        NaN when it is undefined on these rows.
    low, high : float
        Limits of the 95 % interval; NaN when they are undefined.
    note : str
        Why something is undefined or doubtful; may be empty.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    note: str = ""

    def to_json(self) -> dict:
        """JSON values; what is undefined becomes null."""
        numbers = {name: getattr(self, name) for name in ("value", "low", "high")}
        finite = {name: float(x) if math.isfinite(x) else None for name, x in numbers.items()}
        return {**finite, "note": self.note}

    @classmethod
    def from_json(cls, values: dict) -> Estimate:
        """The estimate that :meth:`to_json` wrote."""
        numbers = {
            name: math.nan if values[name] is None else float(values[name]) for name in ("value", "low", "high")
        }
        return cls(**numbers, note=str(values["note"]))


@dataclass(frozen=True, eq=False)
class Resampled:
    """A metric on all rows and on every draw of groups.

    Attributes
    ----------
    value : float
    replicates : ndarray of shape (n_resamples,), float64
        NaN where a draw leaves the metric undefined; empty when intervals are impossible.
    n_groups : int
    note : str
    is_proportion : bool
        Whether the metric is a share of groups' rows, for which an interval exists even when no draw differs.
    is_difference : bool
        The same of the difference of two shares of the same rows.
    """

    value: float
    replicates: np.ndarray
    n_groups: int
    note: str = ""
    is_proportion: bool = False
    is_difference: bool = False

    def estimate(self, level: float = LEVEL) -> Estimate:
        """The value with its percentile interval.

        A proportion of exactly 0 or 1 has Wilson's interval on the number of groups instead: no draw can differ from it. So
        has a difference of shares that is the same in every draw, to both sides.
        """
        if not math.isfinite(self.value):
            return Estimate(math.nan, note=self.note)
        if self.n_groups < 2:
            return Estimate(self.value, note=_join(self.note, "no interval: all rows belong to one group"))
        if self.is_proportion and self.value in (0.0, 1.0):
            low, high = wilson_interval(self.value, self.n_groups, level)
            return Estimate(self.value, low, high, self.note)
        if self.is_difference and np.ptp(self.replicates) == 0:
            limit = wilson_interval(0.0, self.n_groups, level)[1]
            return Estimate(self.value, max(-1.0, self.value - limit), min(1.0, self.value + limit), self.note)
        return self._percentile_interval(level)

    def _percentile_interval(self, level: float) -> Estimate:
        defined = self.replicates[np.isfinite(self.replicates)]
        if not len(defined):
            return Estimate(self.value, note=_join(self.note, "no interval: undefined in every draw"))
        low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
        return Estimate(self.value, float(low), float(high), _join(self.note, self._doubt(len(defined))))

    def _doubt(self, n_defined: int) -> str:
        share = 1 - n_defined / len(self.replicates)
        if share > MANY_UNDEFINED:
            return f"undefined in {share:.0%} of the draws"
        return f"only {self.n_groups} groups: the interval is too narrow" if self.n_groups < FEW_GROUPS else ""

    @classmethod
    def mean(cls, parts: Sequence[Resampled]) -> Resampled:
        """The mean of several metrics that come from the same draws; undefined ones are left out and named."""
        return cls.combine(parts, lambda values: values.mean(axis=0))

    @classmethod
    def combine(
        cls, parts: Sequence[Resampled], function: Callable[[np.ndarray], np.ndarray], at_least: int = 1
    ) -> Resampled:
        """A number made of several metrics that come from the same draws; undefined ones are left out and named.

        Parameters
        ----------
        parts : sequence of Resampled
        function : callable
            Values of shape (n_parts, n) → numbers of shape (n,).
        at_least : int, default=1
            Parts that must be defined; with fewer the number is undefined.
        """
        defined = [p for p in parts if math.isfinite(p.value)]
        if len(defined) < at_least:
            what = "every part" if not defined else f"{len(parts) - len(defined)} of {len(parts)} parts"
            return cls(math.nan, np.empty(0), 0, f"undefined for {what}")
        note = "" if len(defined) == len(parts) else f"over the {len(defined)} of {len(parts)} that are defined"
        value = function(np.array([[p.value] for p in defined]))[0]
        n_groups = min(p.n_groups for p in defined)
        replicates = np.empty(0)
        if n_groups > 1:
            replicates = function(np.stack([p.replicates for p in defined]))
        return cls(float(value), replicates, n_groups, note)


def _join(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


class GroupBootstrap:
    """Draws of groups with replacement, the same draws for every metric.

    Parameters
    ----------
    groups : array of shape (n_rows,)
        Equal values belong together.
    n_resamples : int, default=1000
    seed : int, default=0

    Examples
    --------
    >>> import numpy as np
    >>> draws = GroupBootstrap(groups=np.arange(100), seed=0)
    >>> hits = np.r_[np.ones(80), np.zeros(20)]
    >>> result = draws.of_mean(hits).estimate()
    >>> print(f"{result.value:.2f} [{result.low:.2f}, {result.high:.2f}]")
    0.80 [0.72, 0.88]
    """

    def __init__(self, groups: np.ndarray, n_resamples: int = N_RESAMPLES, seed: int = 0) -> None:
        groups = np.asarray(groups)
        if groups.ndim != 1 or not len(groups):
            raise ValueError(f"groups must be one value a row, at least one; got an array of shape {groups.shape}.")
        _, self.group_of_row = np.unique(groups, return_inverse=True)
        self.n_groups = self._n_all_groups = int(self.group_of_row.max()) + 1
        self.n_rows = len(groups)
        self.n_resamples = n_resamples
        self.seed = seed
        self._drawn: np.ndarray | None = None

    def subset(self, rows: np.ndarray) -> GroupBootstrap:
        """The same draws for some of the rows, so that metrics of different rows can be compared draw by draw.

        Its ``n_groups`` is the number of groups that have such rows; how many of these a draw holds varies.

        Parameters
        ----------
        rows : array of bool, shape (n_rows,), or of row numbers
        """
        part = copy.copy(self)
        part.group_of_row = self.group_of_row[rows]
        part.n_rows = len(part.group_of_row)
        part.n_groups = len(np.unique(part.group_of_row))
        return part

    def counts(self, n_columns: int | None = None) -> Iterator[np.ndarray]:
        """Blocks of draws: how often each group of all rows was drawn, float64 arrays of shape (n_block, n_all_groups).

        ``n_columns`` is the number of cells a draw will be expanded to, which bounds the size of a block. The blocks
        differ with it, the draws do not.
        """
        width = self._n_all_groups if n_columns is None else max(self._n_all_groups, n_columns)
        step = max(1, _BLOCK_CELLS // width)
        if step < self.n_resamples:
            yield from self._draw(step)
            return
        if self._drawn is None:  # a report asks for the same draws many times
            self._drawn = next(self._draw(self.n_resamples))
        yield self._drawn

    def _draw(self, step: int) -> Iterator[np.ndarray]:
        rng = np.random.default_rng(self.seed)
        for start in range(0, self.n_resamples, step):
            n_block = min(step, self.n_resamples - start)
            drawn = rng.integers(0, self._n_all_groups, (n_block, self._n_all_groups))
            drawn += np.arange(n_block)[:, None] * self._n_all_groups
            flat = np.bincount(drawn.ravel(), minlength=n_block * self._n_all_groups)
            yield flat.reshape(n_block, self._n_all_groups).astype(np.float64)

    def of_mean(self, values: np.ndarray, is_proportion: bool = False, note: str = "") -> Resampled:
        """The mean over rows of a number for each row; undefined without rows.

        Parameters
        ----------
        values : array of shape (n_rows,)
        is_proportion : bool, default=False
        note : str
        """
        rows = np.stack([values, np.ones(self.n_rows)], axis=1)
        return self.of_sums(rows, lambda sums: ratio(sums[:, 0], sums[:, 1]), is_proportion, note)

    def of_sums(
        self,
        rows: np.ndarray | scipy.sparse.sparray,
        function: Callable[[np.ndarray], np.ndarray],
        is_proportion: bool = False,
        note: str = "",
    ) -> Resampled:
        """A metric that depends on sums over rows only.

        Parameters
        ----------
        rows : array or sparse array of shape (n_rows, n_sums)
            What is summed.
        function : callable
            Sums of shape (n, n_sums) → values of shape (n,); NaN where undefined.
        is_proportion : bool, default=False
        note : str
        """
        per_group = self._membership().T @ rows
        total = np.asarray(per_group.sum(axis=0)).reshape(1, -1)
        value = float(function(total)[0])
        replicates = [np.empty(0)]
        if math.isfinite(value) and self.n_groups > 1:
            replicates = [function(np.asarray(counts @ per_group)) for counts in self.counts()]
        return Resampled(value, np.concatenate(replicates), self.n_groups, note, is_proportion)

    def of_weights(self, function: Callable[[np.ndarray], np.ndarray], note: str = "") -> Resampled:
        """A metric that needs the weight of every row, such as an area under a curve.

        Parameters
        ----------
        function : callable
            Weights of shape (n, n_rows) → values of shape (n,); NaN where undefined.
        note : str
        """
        value = float(function(np.ones((1, self.n_rows)))[0])
        replicates = [np.empty(0)]
        if math.isfinite(value) and self.n_groups > 1:
            blocks = self.counts(n_columns=self.n_rows)
            replicates = [function(counts[:, self.group_of_row]) for counts in blocks]
        return Resampled(value, np.concatenate(replicates), self.n_groups, note)

    def _membership(self) -> scipy.sparse.csr_array:
        cells = (np.ones(self.n_rows), (np.arange(self.n_rows), self.group_of_row))
        return scipy.sparse.csr_array(cells, shape=(self.n_rows, self._n_all_groups))


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """``numerator / denominator``, NaN where the denominator is zero."""
    result = np.full(np.shape(numerator), np.nan)
    return np.divide(numerator, denominator, out=result, where=denominator > 0)


def wilson_interval(proportion: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval of a proportion of ``n`` independent trials, both limits in [0, 1].

    References
    ----------
    Wilson 1927, equation for the limits; they solve |p − p̂| = z · sqrt(p (1 − p) / n) for p.
    """
    if n < 1:
        return math.nan, math.nan
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = (proportion + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(proportion * (1 - proportion) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
