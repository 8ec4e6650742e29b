"""Photos to a feature table: `python feature_extraction.py --help` lists the options."""

import sys

from features.cli import extract_main

if __name__ == "__main__":
    sys.exit(extract_main())
