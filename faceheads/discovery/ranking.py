"""Rules compared with a criterion.

A rule and the criterion are compared by their correlation over the faces. For certain attributes that is the phi coefficient
of the two-by-two table (Matthews correlation); for predicted ones the degree of the rule stands for its truth. Wrong labels
and wrong predictions lower the correlation of every rule, and do not change which one is best when they are alike for all.

Rules that hardly differ on these faces ("Asian" and "Asian and not Black") are one finding: nobody could tell them apart.

References
----------
B. W. Matthews, Comparison of the predicted and observed secondary structure of T4 phage lysozyme, BBA 405, 1975.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..metrics.intervals import Estimate, GroupBootstrap, Resampled
from .attributes import Attributes
from .rules import Rule, n_rules, rule_blocks

#: Rules whose degrees correlate more than this with those of a better one belong to its finding.
SAME = 0.98
#: Rules that are looked at again after the first pass.
_N_KEPT = 300
#: Shuffled criteria that tell what the best of so many rules reaches by chance.
N_SHUFFLED = 20


@dataclass(frozen=True, eq=False)
class Finding:
    """A rule that explains the criterion, and those that cannot be told from it on these faces.

    Attributes
    ----------
    rule : Rule
        The simplest of them.
    words : str
        The rule, or its opposite where that is what goes with the criterion.
    same : tuple of str
        The others, best first.
    correlation : Estimate
        With the criterion, at least 0 but for chance.
    agreement : Estimate
        Share of faces where rule and criterion are both true or both false; a degree of one half and more is true.
    first : float
        Share of the bootstrap's draws in which it came first among the findings.
    degrees : ndarray of shape (n_faces,), float64
        That the face fulfils what ``words`` says.
    """

    rule: Rule
    words: str
    same: tuple[str, ...]
    correlation: Estimate
    agreement: Estimate
    first: float
    degrees: np.ndarray


@dataclass(frozen=True, eq=False)
class Discovery:
    """What :func:`discover` found.

    Attributes
    ----------
    findings : tuple of Finding
        Best first.
    n_rules, n_faces : int
        How many were compared, on how many faces.
    by_chance : float
        The largest correlation that any of the rules reached with a shuffled criterion, in the mean over shuffles.
    prevalence : float
        Share of faces that fulfil the criterion.
    """

    findings: tuple[Finding, ...]
    n_rules: int
    n_faces: int
    by_chance: float
    prevalence: float


def discover(
    attributes: Attributes, criterion: np.ndarray, groups: np.ndarray, n_findings: int = 10, seed: int = 0
) -> Discovery:
    """The rules of one or two attributes that explain a criterion best.

    Parameters
    ----------
    attributes : Attributes of n_faces faces
        All known: see :attr:`Attributes.is_complete`.
    criterion : array of shape (n_faces,), bool
    groups : array of shape (n_faces,)
        Persons; what the intervals draw.
    n_findings : int, default=10
        At most; 1 or more.
    seed : int, default=0

    Raises
    ------
    ValueError
        If an attribute is unknown, lengths differ, the criterion or every attribute is the same for all faces, or no
        finding is asked for.
    """
    truth = np.asarray(criterion, bool)
    _check(attributes, truth, groups)
    if n_findings < 1:
        raise ValueError(f"n_findings must be 1 or more; got {n_findings}.")
    rng = np.random.default_rng(seed)
    targets = np.stack([truth, *(rng.permutation(truth) for _ in range(N_SHUFFLED))], axis=1).astype(np.float64)
    rules, correlations = _compare_all(attributes.degrees, targets)
    found = _findings(rules, correlations[:, 0], attributes, n_findings)
    by_chance = float(np.abs(correlations[:, 1:]).max(axis=0).mean())
    measured = _measure(found, attributes, truth, GroupBootstrap(groups, seed=seed))
    total = n_rules(len(attributes.names))
    return Discovery(tuple(measured), total, len(truth), by_chance, float(truth.mean()))


def _check(attributes: Attributes, truth: np.ndarray, groups: np.ndarray) -> None:
    if not len(attributes.degrees) == len(truth) == len(groups):
        raise ValueError(
            "attributes, criterion and groups must have one row a face; got "
            f"{len(attributes.degrees)}, {len(truth)} and {len(groups)} rows."
        )
    if not attributes.is_complete.all():
        raise ValueError(
            f"Every attribute of every face must be known; {(~attributes.is_complete).sum()} faces have unknown ones. "
            "Leave them out (Attributes.is_complete) or leave the attribute out."
        )
    if truth.all() or not truth.any():
        raise ValueError("The criterion must be true of some faces and false of others; it is the same for all.")
    if (attributes.degrees == attributes.degrees[0]).all():
        raise ValueError("Some attribute must differ between the faces; each is the same for all. Add others.")


def _compare_all(degrees: np.ndarray, targets: np.ndarray) -> tuple[list[Rule], np.ndarray]:
    """All rules, and their correlation with each column of ``targets``, shape (n_rules, n_targets)."""
    centred = targets - targets.mean(axis=0)
    centred /= np.sqrt((centred**2).sum(axis=0))
    rules, rows = [], []
    for block, values in rule_blocks(degrees):
        rules += block
        rows.append(_unit_columns(values).T @ centred)
    return rules, np.concatenate(rows)


def _unit_columns(values: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and length 1; those without any variation become 0."""
    centred = values - values.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-9)


# ---------------------------------------------------------------------------------------------- rules → findings


def _findings(
    rules: list[Rule], correlation: np.ndarray, attributes: Attributes, n: int
) -> list[list[tuple[Rule, bool]]]:
    """Groups of rules that are one finding, best first, the simplest of each at its head; with "is the opposite meant"."""
    best = np.argsort(-np.abs(correlation), kind="stable")[:_N_KEPT]
    unit = _unit_columns(np.stack([rules[k].degrees(attributes.degrees) for k in best], axis=1))
    varies = unit.any(axis=0)  # what is true of every face or of none explains nothing
    best, unit = best[varies], unit[:, varies]
    is_same = np.abs(unit.T @ unit) > SAME
    found = [[(rules[best[i]], bool(correlation[best[i]] < 0)) for i in members] for members in _grouped(is_same)]
    return [sorted(members, key=lambda member: member[0].n_attributes) for members in found[:n]]


def _grouped(is_same: np.ndarray) -> Iterator[np.ndarray]:
    """Positions that belong together: each with the first one it equals."""
    is_free = np.ones(len(is_same), bool)
    for i in range(len(is_same)):
        if is_free[i]:
            members = np.flatnonzero(is_same[i] & is_free)
            is_free[members] = False
            yield members


def _measure(
    found: list[list[tuple[Rule, bool]]], attributes: Attributes, truth: np.ndarray, draws: GroupBootstrap
) -> list[Finding]:
    degrees = [_signed(*members[0], attributes) for members in found]
    resampled = [_correlation(values, truth, draws) for values in degrees]
    first = _share_of_firsts(resampled)
    findings = []
    for members, values, correlation, share in zip(found, degrees, resampled, first, strict=True):
        words, *same = (rule.words(attributes.names, opposite) for rule, opposite in members)
        agreement = draws.of_mean((values >= 0.5) == truth, is_proportion=True).estimate()
        findings.append(Finding(members[0][0], words, tuple(same), correlation.estimate(), agreement, share, values))
    return findings


def _signed(rule: Rule, is_opposite: bool, attributes: Attributes) -> np.ndarray:
    degrees = rule.degrees(attributes.degrees)
    return 1 - degrees if is_opposite else degrees


def _correlation(values: np.ndarray, truth: np.ndarray, draws: GroupBootstrap) -> Resampled:
    x, y = values - values.mean(), truth - truth.mean()
    return draws.of_sums(np.stack([np.ones(len(x)), x, y, x * x, y * y, x * y], axis=1), _pearson)


def _pearson(sums: np.ndarray) -> np.ndarray:
    n, x, y, xx, yy, xy = sums.T
    squared = (xx - x * x / n) * (yy - y * y / n)
    result = np.full(len(sums), np.nan)
    return np.divide(xy - x * y / n, np.sqrt(np.maximum(squared, 0)), out=result, where=squared > 0)


def _share_of_firsts(resampled: list[Resampled]) -> np.ndarray:
    """Share of draws in which each correlation is the largest; NaN where nothing can be drawn."""
    replicates = np.stack([r.replicates for r in resampled])
    if not replicates.shape[1]:
        return np.full(len(resampled), np.nan)
    return (
        np.bincount(np.nan_to_num(replicates, nan=-1).argmax(axis=0), minlength=len(resampled)) / replicates.shape[1]
    )
