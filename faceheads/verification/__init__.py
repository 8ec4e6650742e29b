"""Comparisons of two faces: trials, similarities, thresholds and error rates.

*Mated* pairs show one person, *non-mated* pairs two (ground truth); *match* and *non-match* are decisions. A similarity
is higher for faces that are more alike, and match ⇔ similarity ≥ threshold, everywhere.

====================  ===============================================================================================
``similarity``        of two vectors: cosine or minus the Euclidean distance
``comparisons``       a set of pairs of a feature table, listed or made from identities; split by people
``error_rates``       FMR, FNMR, DET, EER, AUC, FNMR at an FMR that the pairs can bear
``uncertainty``       the same with intervals that know of shared people
``accuracy``          LFW's protocol
``kinds``             real, fake, distorted: each for itself
``scores``            scores fitted to other people: s-norm, whitening, LDA, PLDA, quality
``bona_fide_check``   a head that tells fakes from photos, fused with the similarity
``threshold_tuning``  thresholds found on some people, reported on others
``threshold_file``    a threshold written with all that it takes to use it
``report``, ``plots`` JSON, Markdown, pictures
``identification``    searches in a gallery: CMC, FNIR, FPIR
====================  ===============================================================================================
"""
