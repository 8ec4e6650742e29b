"""Every number that a report prints, each with its 95 % interval.

:mod:`~faceheads.metrics.intervals` resamples groups (persons, or sets of equal images), because rows that share a person
are not independent; :mod:`~faceheads.metrics.classification`, :mod:`~faceheads.metrics.regression` and
:mod:`~faceheads.metrics.decades` say what is measured, :mod:`~faceheads.metrics.cohorts` how it differs between cohorts.
"""

from .classification import (
    attribute_metrics,
    classification_metrics,
    majority_probabilities,
    mean_over_attributes,
)
from .intervals import Estimate, GroupBootstrap, Resampled, wilson_interval
from .regression import regression_metrics

__all__ = [
    "Estimate",
    "GroupBootstrap",
    "Resampled",
    "attribute_metrics",
    "classification_metrics",
    "majority_probabilities",
    "mean_over_attributes",
    "regression_metrics",
    "wilson_interval",
]
