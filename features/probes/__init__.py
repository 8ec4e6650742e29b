"""What changes a decision: counterfactual probes.

Each face is changed in one thing, such as the colour of its hair, and the heads decide again. :mod:`.changes` lists what
can be changed and the control of each change, :mod:`.frame`, :mod:`.hair`, :mod:`.scene` and :mod:`.subject` find the parts of a face,
:mod:`.recolour`, :mod:`.glasses` and :mod:`.light` change them, :mod:`.prober` and :mod:`.job` ask the heads about every
photo of a folder, :mod:`.effects` measures, and :mod:`.cli` is the command ``python -m features.probes``.
"""
