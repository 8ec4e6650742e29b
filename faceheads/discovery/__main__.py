"""``python -m faceheads.discovery``."""

import sys

from .cli import discovery_main

if __name__ == "__main__":
    sys.exit(discovery_main())
