"""Thresholds that were tuned, and probabilities that were calibrated, on rows that the estimator had not seen.

:mod:`~faceheads.calibration.tuner` tunes thresholds for a criterion of :mod:`faceheads.fairness.optimum`, one for all or
one for each cohort; :mod:`~faceheads.calibration.unknown_cohort` does so where the cohort of a new face is not known.
"""
