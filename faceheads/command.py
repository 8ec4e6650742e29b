"""What every command does with the mistakes of its user: one sentence on stderr, no traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

#: Exit code of what the user can repair, as argparse has it for wrong options.
USAGE_ERROR = 2
#: Exit code after Ctrl-C, as shells have it.
INTERRUPTED = 130


def run_command(name: str, main: Callable[[], int], when_stopped: str = "stopped") -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    name : str
        What the user called, such as ``"train.py"``.
    main : callable
        Does the work and returns the exit code.
    when_stopped : str
        What is said after Ctrl-C.
    """
    try:
        return main()
    except (ValueError, OSError, ImportError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(f"{name}: {when_stopped}", file=sys.stderr)
        return INTERRUPTED
