"""Scores of two faces beyond the plain cosine, as scikit-learn estimators.

Every score has three methods: ``fit(X, y)`` on vectors of faces and the identity of each, ``transform(X)`` to make a
template of each face once, and ``compare(probe, reference)`` on templates, row by row; higher is more alike.

======================  ============================================================================================
``cohort_norm``         the similarity measured in standard deviations of the similarities with other people (s-norm)
``whitened``            distance after whitening within persons, or in the directions that tell people apart (LDA)
``plda``                log-likelihood ratio of one person or two, when persons and photos vary normally
``quality``             log-odds from the similarity and the worse photo's detection score, size, brightness, sharpness
``cluster_calibrated``  log-odds by curves that differ between clusters of faces (FairCal)
``cohort_calibrated``   the same between cohorts, which it must be told
``cross_fit``           scores of the comparisons a score was fitted to, as if it had not been
``registry``            scores by the names of the command line
``score_file``          a fitted score on disk
======================  ============================================================================================

A score is fitted on some people and its errors are measured on others, as everything else. What each brings on held-out
people is measured by ``benchmarks/verification_scores.py``; on vectors of a network that was trained on millions of faces,
with a few thousand faces to fit to, not much.
"""
