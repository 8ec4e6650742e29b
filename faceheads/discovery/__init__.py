"""Which known attributes explain a criterion that nobody explained.

:mod:`.attributes` collects what is known of each face, :mod:`.rules` writes down every simple rule of one or two attributes,
:mod:`.ranking` compares the rules with the criterion, :mod:`.examples` picks the faces that a person should look at, and
:mod:`.cli` is the command ``python -m faceheads.discovery``.
"""
