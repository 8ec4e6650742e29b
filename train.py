"""A feature table and labels to a head: `python train.py --help` lists the options."""

import sys

from faceheads.cli import train_main

if __name__ == "__main__":
    sys.exit(train_main())
