"""The options that benchmarks share."""

from __future__ import annotations

import argparse
from pathlib import Path


def benchmark_parser(module_doc: str) -> argparse.ArgumentParser:
    """A parser that says what the module's docstring says first, with the option ``--data``."""
    parser = argparse.ArgumentParser(description=module_doc.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="the folder of data sets (default: %(default)s)"
    )
    return parser
