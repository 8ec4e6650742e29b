"""Same person or not, and how often that is wrong: `python verify.py --help` lists the options."""

import sys

from features.cli import verify_main

if __name__ == "__main__":
    sys.exit(verify_main())
