"""The charts of the training report, each a function that draws on an empty matplotlib figure.

They draw what has been measured: a :class:`~faceheads.measuring.Answers`, a :class:`~faceheads.head_report.HeadReport`, a
:class:`~faceheads.metrics.cohorts.CohortTable`. No metric is computed here.
"""
