"""Photos and a head to annotated photos: `python pred.py --help` lists the options."""

import sys

from features.cli import annotate_main

if __name__ == "__main__":
    sys.exit(annotate_main())
