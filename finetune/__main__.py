"""``python -m finetune``: see :mod:`finetune.cli`."""

import sys

from .cli import finetune_main

if __name__ == "__main__":
    sys.exit(finetune_main())
