"""Who is it: people enrolled in a gallery, unknown faces grouped, labels that do not fit their faces.

====================  ===============================================================================================
``gallery``           people with their vectors; how alike a face is to each
``assignment``        names for the faces of one photo, each person at most once
``naming``            names for all faces of a table
``thresholds``        the threshold for a gallery of so many photos, from a threshold file
``grouping``          unknown faces by person: average linkage, two faces of one photo are never one person
``agreement``         how well groups agree with people (B-cubed, pairwise F)
``cleaning``          labels that do not fit their faces
``submission``        what Kryptonite and FACECOM take
``searches``          who is enrolled and searched, and what is measured on searches; ``document`` tells it
====================  ===============================================================================================

The searches themselves (CMC, FNIR, FPIR) are in :mod:`faceheads.verification.identification`.
"""
