"""./deploy.sh env: the settings that the last deployment of an environment wrote for its clients."""

from __future__ import annotations

import sys
from pathlib import Path

from .messages import log

# Client -> file below the inventory's .secrets.
CLIENTS = {"sdk": "client.env", "claude-code": "claude-code.env", "codex": "codex.toml", "ca": "tls/ca.pem"}


def client_settings(inventory: str, client: str) -> int:
    """Print the settings of *client*; return the exit code."""
    file = Path(inventory, ".secrets", CLIENTS[client])
    try:
        sys.stdout.write(file.read_text(encoding="utf-8"))
    except OSError as error:
        log("ERROR", f"{file} cannot be read ({error.strerror}). Fix: run ./deploy.sh -i {inventory} first")
        return 1
    return 0
