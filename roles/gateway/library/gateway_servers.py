#!/usr/bin/python
"""Reads the servers of a running HAProxy and their states."""

from __future__ import annotations

import csv
import io
import socket

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: gateway_servers
short_description: Tell the servers of a HAProxy backend and their states
description:
  - Reads C(show stat) from the runtime socket of HAProxy, which knows what no file says.
  - Changes nothing, in check mode or out of it.
options:
  socket:
    description: Path of the runtime socket.
    type: path
    required: true
  backend:
    description: Backend whose servers are returned.
    type: str
    required: true
"""

RETURN = r"""
servers:
  description: >-
    The backend's servers by name, each with C(status) as HAProxy says it (UP, DOWN, DRAIN, MAINT and others) and
    C(sessions), how many requests it has now.
  type: dict
  returned: always
"""

SECONDS = 10.0
# Rows of the backend itself, beside those of its servers.
SUMMARIES = ("FRONTEND", "BACKEND")


def ask(path: str, command: str) -> str:
    """Return the answer of the runtime socket at *path* to *command*."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(path)
        connection.sendall(f"{command}\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def servers(table: str, backend: str) -> dict[str, dict[str, str | int]]:
    """Return the servers of *backend* in a table of HAProxy's statistics."""
    rows = csv.DictReader(io.StringIO(table.lstrip("# ")))
    return {
        row["svname"]: {"status": row["status"], "sessions": int(row["scur"] or 0)}
        for row in rows
        if row["pxname"] == backend and row["svname"] not in SUMMARIES
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={"socket": {"type": "path", "required": True}, "backend": {"required": True}},
        supports_check_mode=True,
    )
    path = module.params["socket"]
    try:
        table = ask(path, "show stat")
    except OSError as error:
        module.fail_json(msg=f"HAProxy does not answer at {path}: {error}. Fix: look whether the gateway runs.")
    module.exit_json(changed=False, servers=servers(table, module.params["backend"]))


if __name__ == "__main__":
    main()
