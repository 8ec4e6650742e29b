"""Decisions and the cohorts they are made about: thresholds that are exactly optimal, and what equality costs.

A *cohort* is a set of people that an error is reported for, such as men and women. :mod:`~faceheads.fairness.cuts` counts
what each threshold does to each cohort, :mod:`~faceheads.fairness.criterion` says what is best, and
:mod:`~faceheads.fairness.optimum` finds the best threshold, or one for each cohort; :mod:`~faceheads.fairness.chance`
says which gaps are chance, :mod:`~faceheads.fairness.price` what one criterion costs against another, and :mod:`~faceheads.fairness.scores`
measures decisions that were made.
"""
