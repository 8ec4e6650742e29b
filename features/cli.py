"""The command lines on photos, as the scripts and the installed commands call them.

Each imports what it needs when it is called: reading photos does not wait for what trains heads.
"""

from __future__ import annotations

from collections.abc import Sequence


def extract_main(argv: Sequence[str] | None = None) -> int:
    """Run ``feature_extraction.py``: :func:`features.extract_cli.extract_main`."""
    from . import extract_cli

    return extract_cli.extract_main(argv)


def annotate_main(argv: Sequence[str] | None = None) -> int:
    """Run ``pred.py``: :func:`features.annotate.cli.annotate_main`."""
    from .annotate import cli

    return cli.annotate_main(argv)


def verify_main(argv: Sequence[str] | None = None) -> int:
    """Run ``verify.py``: :func:`features.verify_cli.verify_main`."""
    from . import verify_cli

    return verify_cli.verify_main(argv)


def app_main(argv: Sequence[str] | None = None) -> int:
    """Run ``app.py``: :func:`features.webapp.cli.app_main`."""
    from .webapp import cli

    return cli.app_main(argv)
