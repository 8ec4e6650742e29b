"""Photos in a browser page: `python app.py --help` lists the options."""

import sys

from features.cli import app_main

if __name__ == "__main__":
    sys.exit(app_main())
