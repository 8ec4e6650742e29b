"""A document as one HTML file: pictures inside, no script, nothing from the network."""

from __future__ import annotations

import base64

from .document import Document
from .extra import require


def html(document: Document) -> str:
    """The document as HTML.

    Raises
    ------
    MissingPackage
        If jinja2 is not installed.
    """
    (jinja2,) = require("jinja2")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_keep_percent,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    return environment.get_template("page.html").render(document=document)


def _keep_percent(value: object) -> object:
    """A number and its percent sign stay on one line."""
    return value.replace(" %", "\u00a0%") if isinstance(value, str) else value
