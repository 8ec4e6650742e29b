"""Comparisons of two faces: trials, similarities, thresholds and error rates.

*Mated* pairs show one person, *non-mated* pairs two (ground truth); *match* and *non-match* are decisions. A similarity
is higher for faces that are more alike, and match ⇔ similarity ≥ threshold, everywhere.
"""
