"""Thresholds that were tuned, and intervals and probabilities that were calibrated, on rows the estimator had not seen.

:mod:`~faceheads.calibration.tuner` tunes thresholds for a criterion of :mod:`faceheads.fairness.criterion`, one for all or
one for each cohort; :mod:`~faceheads.calibration.unknown_cohort` does so where the cohort of a new face is not known;
:mod:`~faceheads.calibration.conformal` gives intervals of numbers that hold the truth as often as they say;
:mod:`~faceheads.calibration.beta` corrects probabilities.
"""
