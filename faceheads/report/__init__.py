"""Reports: a document is put together once and written as one self-contained HTML file and as Markdown with pictures.

:mod:`~faceheads.report.document` says what a report is made of, :mod:`~faceheads.report.html` and
:mod:`~faceheads.report.markdown` write it, :mod:`~faceheads.report.style` is how every picture of the project looks.
:mod:`~faceheads.report.training` puts together what training found. matplotlib and jinja2 come with
``pip install faceheads[report]`` and are imported when they are used.
"""
