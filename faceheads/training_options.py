"""What to train and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .heads import KINDS
from .metrics.intervals import N_RESAMPLES
from .row_weights import BALANCED
from .tuning import Tuning

_SEEDS = 2**32


@dataclass(frozen=True)
class TrainingOptions:
    """What to train and how.

    Attributes
    ----------
    targets : tuple of str
        Label columns; empty for all that can be predicted.
    task : str or None
        For every target; None to recognise it from the values.
    tasks, heads : mapping of str to str
        Task and kind of head for single targets.
    head : str
        One of :data:`faceheads.heads.KINDS`.
    split, groups : str
        See :func:`faceheads.samples.split_samples` and :func:`faceheads.samples.group_samples`.
    test_size : float
        Share of a random split.
    cohorts : tuple of str
        Columns that the heads are also measured by; see :func:`faceheads.cohorts.cohort_columns`. Thresholds that are
        tuned for a criterion of cohorts compare those of the first.
    search : bool
        Whether the settings of each head are searched for; see :mod:`faceheads.search`.
    class_weight : {"balanced"} or None
        Whether the classes of a decision count equally in training, however frequent they are.
    reweigh : str or None
        Column of :func:`faceheads.cohorts.cohort_columns` that the classes are made independent of by weights of training
        rows; see :mod:`faceheads.row_weights`.
    tuning : Tuning or None
        What the thresholds of decisions between two classes are tuned for; None leaves them at one half.
    seed : int
        Of the split, the estimators and the intervals.
    jobs : int
        Heads, or fits of a search for a single one, at the same time.
    allow_unlabelled : bool
        Whether rows of the table may have no label.
    n_resamples : int
        Draws of the bootstrap.

    Raises
    ------
    ValueError
        If a number is out of range or a kind is unknown.
    """

    targets: tuple[str, ...] = ()
    task: str | None = None
    tasks: Mapping[str, str] = field(default_factory=dict)
    head: str = "mlp"
    heads: Mapping[str, str] = field(default_factory=dict)
    split: str = "auto"
    groups: str = "auto"
    test_size: float = 0.2
    cohorts: tuple[str, ...] = ()
    search: bool = False
    class_weight: str | None = None
    reweigh: str | None = None
    tuning: Tuning | None = None
    seed: int = 0
    jobs: int = 1
    allow_unlabelled: bool = False
    n_resamples: int = N_RESAMPLES

    def __post_init__(self) -> None:
        for kind in (self.head, *self.heads.values()):
            if kind not in KINDS:
                raise ValueError(f"The head must be one of {', '.join(KINDS)}; got {kind!r}.")
        if self.class_weight not in (None, BALANCED):
            raise ValueError(f"class_weight must be {BALANCED!r} or None; got {self.class_weight!r}.")
        if not 0 < self.test_size < 1:
            raise ValueError(f"test_size must be between 0 and 1; got {self.test_size}.")
        if not 0 <= self.seed < _SEEDS:
            raise ValueError(f"seed must be between 0 and {_SEEDS - 1}; got {self.seed}.")
