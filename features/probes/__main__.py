"""``python -m features.probes``."""

import sys

from .cli import probe_main

if __name__ == "__main__":
    sys.exit(probe_main())
