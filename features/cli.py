"""The command lines on photos, as the scripts and the installed commands call them."""

from .annotate.cli import annotate_main
from .extract_cli import extract_main
from .verify_cli import verify_main

__all__ = ["annotate_main", "extract_main", "verify_main"]
