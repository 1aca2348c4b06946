"""Log lines of the programs beside this one, as deploy.sh writes its own."""

import sys
import time


def log(level: str, message: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(f"[{time.strftime('%H:%M:%S')}] [DEPLOY] [{level}] {message}\n")
