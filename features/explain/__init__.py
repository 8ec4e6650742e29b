"""Which pixels of a face a decision came from.

:mod:`.decision` turns what a head says into one number a face, :mod:`.network` takes gradients of the embedding network,
:mod:`.gradients` and :mod:`.occlusion` make maps of pixels, :mod:`.faithfulness` tells how far a map can be believed and
:mod:`.randomised` whether it depends on what was learned, and :mod:`.overlay` draws it. :mod:`.attention` reads where a vision
transformer looks, whatever is decided. :mod:`.job` explains the faces of a folder, :mod:`.pair_job` what makes two faces similar.
"""
