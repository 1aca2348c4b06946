"""Log lines on standard error: ``[HH:MM:SS] [VIBE-ROUTER] [LEVEL] message``, one line per event.

Not the logging module: LiteLLM reconfigures its root logger (``LITELLM_LOG=ERROR`` would hide the decisions).
Prompt text must never get here; callers pass names, numbers and identifiers only.
"""

from __future__ import annotations

import os
import sys
import time
import traceback

from vibe.escaped import escaped

DEBUG, INFO, WARNING, ERROR = "DEBUG", "INFO", "WARNING", "ERROR"
_RANK = {DEBUG: 10, INFO: 20, WARNING: 30, ERROR: 40}
LEVEL_VARIABLE = "VIBE_LOG_LEVEL"


def log(level: str, message: str) -> None:
    """Write one line; ``VIBE_LOG_LEVEL`` (default INFO) hides lower levels. Never raises."""
    least = _RANK.get(os.environ.get(LEVEL_VARIABLE, INFO).upper(), _RANK[INFO])
    if _RANK[level] < least:
        return
    line = f"[{time.strftime('%H:%M:%S')}] [VIBE-ROUTER] [{level}] {escaped(message)}\n"
    try:
        # One write per line, so that lines of several workers do not mix.
        sys.stderr.write(line)
        sys.stderr.flush()
    except (OSError, ValueError):
        # Standard error is closed or full: there is nowhere left to log that, and the request must continue.
        return


def log_failure(message: str, error: BaseException) -> None:
    """Log *message* at ERROR with the traceback of *error*. Never raises.

    The exception's own text is left out: a decoding or key error can quote the prompt.
    """
    frames = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    name = type(error).__name__
    log(ERROR, f"{message}: {name}\nTraceback (most recent call last):\n{frames}\n{name}")
