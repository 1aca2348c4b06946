"""Log lines of ./deploy.sh."""

from __future__ import annotations

import sys
import time


def log(level: str, message: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(f"[{time.strftime('%H:%M:%S')}] [DEPLOY] [{level}] {message}\n")
