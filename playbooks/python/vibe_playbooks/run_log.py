"""The full log of a run on the control node: every task, and each host's result unless the host did nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

KEPT_LOGS = 30


class RunLog:
    """A file that only its owner can read; of the logs in its folder, the newest stay."""

    def __init__(self, path: Path) -> None:
        """Create the file and its folder.

        Raises:
            OSError: the folder cannot be written.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in sorted(path.parent.glob("*.log"))[: -KEPT_LOGS + 1]:
            old.unlink(missing_ok=True)
        # Messages can quote configuration; secrets are kept out of them by no_log.
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8")

    def write(self, text: str) -> None:
        """Write text as lines, the first with the time."""
        self._file.write(f"{time.strftime('%H:%M:%S')} {text.rstrip()}\n")
        # Flush, so that a killed run leaves a complete log.
        self._file.flush()
