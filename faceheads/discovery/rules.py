"""Simple rules of one or two attributes: one attribute, two at once, one without the other, none, or exactly one.

The opposite of a rule explains a criterion as well as the rule does, so that these cover "or" and "the same" too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

SINGLE, BOTH, ONLY_FIRST, ONLY_SECOND, NEITHER, ONE_OF = (
    "single",
    "both",
    "only_first",
    "only_second",
    "neither",
    "xor",
)
PAIR_KINDS = (BOTH, ONLY_FIRST, ONLY_SECOND, NEITHER, ONE_OF)

#: How a rule and its opposite are said.
_SAID = {
    SINGLE: ("{0}", "not {0}"),
    BOTH: ("{0} and {1}", "not {0} or not {1}"),
    ONLY_FIRST: ("{0} and not {1}", "not {0} or {1}"),
    ONLY_SECOND: ("{1} and not {0}", "not {1} or {0}"),
    NEITHER: ("neither {0} nor {1}", "{0} or {1}"),
    ONE_OF: ("{0} xor {1}", "both or neither of {0}, {1}"),
}


@dataclass(frozen=True)
class Rule:
    """A rule that a face fulfils or not.

    Attributes
    ----------
    kind : str
        ``"single"`` or one of :data:`PAIR_KINDS`.
    first, second : int
        Positions of the attributes; of a single attribute both are the same.
    """

    kind: str
    first: int
    second: int

    @property
    def n_attributes(self) -> int:
        """1 or 2."""
        return 1 if self.kind == SINGLE else 2

    def words(self, names: tuple[str, ...], is_opposite: bool = False) -> str:
        """The rule as a person says it, or its opposite."""
        if self.kind == SINGLE and not is_opposite:
            return names[self.first]
        first, second = (f"({name})" if " " in name else name for name in (names[self.first], names[self.second]))
        return _SAID[self.kind][int(is_opposite)].format(first, second)

    def degrees(self, attributes: np.ndarray) -> np.ndarray:
        """Probability that each face fulfils the rule when errors of attributes are independent, shape (n_faces,).

        Parameters
        ----------
        attributes : array of shape (n_faces, n_attributes), float
            From 0 to 1.
        """
        a, b = attributes[:, self.first], attributes[:, self.second]
        return a if self.kind == SINGLE else dict(zip(PAIR_KINDS, _pairs(a, b), strict=True))[self.kind]


def rule_blocks(attributes: np.ndarray) -> Iterator[tuple[list[Rule], np.ndarray]]:
    """Every rule, in blocks of at most as many columns as there are attributes, with the degrees of all faces.

    Yields
    ------
    rules : list of Rule
    degrees : ndarray of shape (n_faces, n_rules), float
    """
    n = attributes.shape[1]
    yield [Rule(SINGLE, i, i) for i in range(n)], attributes
    for i in range(n - 1):
        others = range(i + 1, n)
        for kind, degrees in zip(PAIR_KINDS, _pairs(attributes[:, i : i + 1], attributes[:, i + 1 :]), strict=True):
            yield [Rule(kind, i, j) for j in others], degrees


def n_rules(n_attributes: int) -> int:
    """How many rules there are."""
    return n_attributes + len(PAIR_KINDS) * sum(1 for _ in combinations(range(n_attributes), 2))


def _pairs(a: np.ndarray, b: np.ndarray) -> Iterator[np.ndarray]:
    """Degrees in the order of :data:`PAIR_KINDS`."""
    both = a * b
    yield both
    yield a - both
    yield b - both
    yield 1 - a - b + both
    yield a + b - 2 * both
