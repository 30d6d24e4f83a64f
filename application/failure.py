"""How a process ends that cannot do what it was asked."""

import sys
from typing import NoReturn


def fail(reason: str, status: int = 1) -> NoReturn:
    """End the process with one line for the operator."""
    sys.stderr.write(f"parley: {reason}\n")
    sys.exit(status)
