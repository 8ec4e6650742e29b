"""The app: photos, heads and comparisons in a browser page.

:mod:`.models` says what there is to choose from, :mod:`.workers` runs the work in a few threads, :mod:`.annotating`, :mod:`.comparing`,
:mod:`.grouping` and :mod:`.explaining` do it, :mod:`.rendering` makes HTML of the results, :mod:`.actions` is what the page calls,
:mod:`.page` lays it out, :mod:`.guard` and :mod:`.server` let nothing else in.

A photo comes inside the request of a click, is worked on in memory and forgotten with the answer: nothing is uploaded before, stored, or
remembered between two clicks.
"""
