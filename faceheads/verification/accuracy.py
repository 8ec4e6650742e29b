"""Accuracy of verification as LFW's protocol asks for it: one threshold, chosen on other people.

A comparison that could not be made (no face in an image) is an error, whatever the truth.

References
----------
G. B. Huang et al., Labeled Faces in the Wild, UMass Amherst TR 07-49, 2007, section IV.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from .trials import Trials

N_BOOTSTRAPS = 2000
_LEVEL = 0.95
_NO_PENALTY = 1e6


def best_threshold(trials: Trials) -> float:
    """The threshold with the highest accuracy on ``trials``, in the middle of the widest gap among equals.

    Raises
    ------
    ValueError
        If no comparison was made.
    """
    made = trials[trials.is_acquired]
    if not len(made):
        raise ValueError("A threshold needs at least one comparison that was made; got none.")
    order = np.argsort(made.similarity)
    similarity, is_mated = made.similarity[order], made.is_mated[order]
    # accuracy when everything from position k on is a match: non-mated before k plus mated from k on
    correct = np.concatenate([[0], np.cumsum(~is_mated)]) + (
        is_mated.sum() - np.concatenate([[0], np.cumsum(is_mated)])
    )
    edges = np.concatenate([[similarity[0] - 1e-6], similarity, [similarity[-1] + 1e-6]])
    gaps = np.diff(edges)
    best = np.flatnonzero((correct == correct[gaps > 0].max()) & (gaps > 0))
    k = best[np.argmax(gaps[best])]
    return float((edges[k] + edges[k + 1]) / 2)


def logistic_threshold(trials: Trials) -> float:
    """The threshold at which a logistic regression on the similarity finds mated and non-mated equally likely.

    All comparisons bear on it, not only those next to the best cut, so it changes less from sample to sample than
    :func:`best_threshold`; mated and non-mated pairs should be equally many.

    Raises
    ------
    ValueError
        If the comparisons that were made are not of both kinds.
    """
    made = trials[trials.is_acquired]
    if made.is_mated.all() or not made.is_mated.any():
        raise ValueError("A logistic threshold needs mated and non-mated comparisons that were made.")
    centre, scale = made.similarity.mean(), made.similarity.std()
    model = LogisticRegression(C=_NO_PENALTY).fit(((made.similarity - centre) / scale)[:, None], made.is_mated)
    return float(centre - scale * model.intercept_[0] / model.coef_[0, 0])


def is_correct(trials: Trials, threshold: float) -> np.ndarray:
    """Boolean array of shape (n_trials,): the decision is right; False where no comparison was made."""
    return trials.is_acquired & ((trials.similarity >= threshold) == trials.is_mated)


def identity_folds(trials: Trials, n_folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Train and test trials (row numbers) of folds that share no identity.

    Every identity is drawn into a fold. A trial is tested in the fold of its probe's identity; it may be trained on in
    a fold when neither of its identities occurs in what is tested there.
    """
    names = sorted(set(trials.probe_identity) | set(trials.reference_identity))
    fold_of = dict(zip(names, np.random.default_rng(seed).permutation(len(names)) % n_folds, strict=True))
    fold = np.array([fold_of[name] for name in trials.probe_identity])
    folds = []
    for k in range(n_folds):
        is_test = fold == k
        tested = list(set(trials.probe_identity[is_test]) | set(trials.reference_identity[is_test]))
        touches = np.isin(trials.probe_identity, tested) | np.isin(trials.reference_identity, tested)
        folds.append((np.flatnonzero(~touches), np.flatnonzero(is_test)))
    return folds


@dataclass(frozen=True)
class CrossValidatedAccuracy:
    """Accuracy over folds, each with its own threshold.

    Attributes
    ----------
    accuracy : float
        Share of all trials that were decided rightly.
    standard_error : float
        Of the mean over folds, as LFW's protocol reports it.
    thresholds : tuple of float
        One for each fold.
    is_correct : ndarray of shape (n_trials,), bool
    """

    accuracy: float
    standard_error: float
    thresholds: tuple[float, ...]
    is_correct: np.ndarray


def listed_folds(fold: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Train and test trials of the folds that a protocol lists, such as LFW's View 2: all other folds train.

    Parameters
    ----------
    fold : ndarray of shape (n_trials,), int

    Raises
    ------
    ValueError
        If there is one fold only.
    """
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise ValueError(f"an accuracy over folds needs two or more; the list of pairs has {len(numbers)}.")
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in numbers]


def cross_validated_accuracy(
    trials: Trials,
    rule: Callable[[Trials], float] = best_threshold,
    n_folds: int = 10,
    seed: int = 0,
    fold: np.ndarray | None = None,
) -> CrossValidatedAccuracy:
    """Accuracy with the threshold of each fold found by ``rule`` on the others.

    Parameters
    ----------
    trials : Trials
    rule : callable
        Trials to threshold.
    n_folds, seed : int
        Of folds over identities.
    fold : ndarray of shape (n_trials,), int, optional
        The folds of a protocol, used as they are.

    Raises
    ------
    ValueError
        If a fold is empty, or nothing is left to find its threshold on.
    """
    right = np.zeros(len(trials), bool)
    thresholds, means = [], []
    folds = identity_folds(trials, n_folds, seed) if fold is None else listed_folds(fold)
    for train, test in folds:
        if not len(test) or not trials.is_acquired[train].any():
            raise ValueError(
                "An accuracy over folds needs comparisons in each fold and comparisons of other people to find its threshold "
                f"on; of {len(trials)} comparisons {len(test)} are in a fold and {len(train)} of people not in it."
            )
        thresholds.append(rule(trials[train]))
        right[test] = is_correct(trials[test], thresholds[-1])
        means.append(right[test].mean())
    error = float(np.std(means, ddof=1) / np.sqrt(len(folds)))
    return CrossValidatedAccuracy(float(right.mean()), error, tuple(thresholds), right)


def identity_interval(right: np.ndarray, trials: Trials, seed: int = 0) -> tuple[float, float]:
    """A 95 % interval of the mean of ``right`` that knows that trials share people.

    People are drawn with replacement; a trial counts as often as both of its people were drawn together.

    Parameters
    ----------
    right : ndarray of shape (n_trials,), bool or float
    trials : Trials

    References
    ----------
    R. Fogliato, P. Patil, P. Perona, Confidence intervals for error rates in 1:1 matching tasks, IJCV 2024.
    """
    names, codes = np.unique(
        np.concatenate([trials.probe_identity, trials.reference_identity]).astype(str), return_inverse=True
    )
    probe, reference = np.split(codes, 2)
    rng = np.random.default_rng(seed)
    means = np.empty(N_BOOTSTRAPS)
    for i in range(N_BOOTSTRAPS):
        drawn = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        weight = np.where(probe == reference, drawn[probe], drawn[probe] * drawn[reference])
        means[i] = np.average(right, weights=weight) if weight.any() else np.nan
    low, high = np.nanquantile(means, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)
