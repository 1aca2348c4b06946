"""Commands on this machine, for a run of the host checks without testinfra."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class LocalAnswer:
    """What a command returned."""

    rc: int
    stdout: str
    stderr: str


class LocalShell:
    """Runs commands with this machine's shell."""

    def run(self, command: str) -> LocalAnswer:
        """Run *command*; one that does not end in time fails.

        Raises:
            subprocess.TimeoutExpired: it ran longer than TIMEOUT_SECONDS.
        """
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return LocalAnswer(done.returncode, done.stdout, done.stderr)
