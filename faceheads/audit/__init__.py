"""What is wrong with a data set, found before anything is trained on it: ``train.py --audit DIR``.

Each check is a module and gives a :class:`~faceheads.audit.finding.Finding`: a sentence, a table, faces to look at.

====================  ==============================================================================================
``balance``           how many rows of each class, number and cohort, in all and by part
``lost_faces``        in how many images of each class and cohort no face was found
``unlabelled``        malformed names, missing labels and what else did not fit
``duplicates``        files that are equal to the byte
``near_duplicates``   faces that are almost the same, by their embeddings: other sizes, other compression, mirrored
``identities``        persons on both sides of the split
``label_errors``      labels that heads contradict that have not seen them
====================  ==============================================================================================

Nothing is changed or left out: what to do about a finding is decided by people who have looked at it.
"""
