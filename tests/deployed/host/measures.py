"""Measures for host checks and doctor, read from a host's answers: disks, clock, HAProxy's servers.

Needs neither testinfra nor pytest: a client's machine has none.
"""

from __future__ import annotations

import csv
import io

from deployed_names import GATEWAY_DIR

LEAST_FREE_PERCENT = 5
# Signed requests of providers are refused from five minutes on; far below that, logs of two hosts cannot be compared.
MOST_CLOCK_SECONDS = 30
ADMIN_SOCKET = f"{GATEWAY_DIR}/run/admin.sock"
# The command that prints HAProxy's statistics.
READ_STATISTICS = (
    f'python3 -c \'import socket; s=socket.socket(socket.AF_UNIX); s.connect("{ADMIN_SOCKET}");'
    ' s.sendall(b"show stat\\n"); print(b"".join(iter(lambda: s.recv(65536), b"")).decode())\''
)


def read_disks(table: str) -> dict[str, int]:
    """Return the percentage used of each mount point in the output of `df -Pk`."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return {row[5]: int(row[4].rstrip("%")) for row in rows}


def full_disks(used: dict[str, int]) -> str:
    """Name the mount points with less than LEAST_FREE_PERCENT free."""
    return ", ".join(
        f"{mount} is {percent} % full" for mount, percent in used.items() if 100 - percent < LEAST_FREE_PERCENT
    )


def seconds_apart(before: float, there: float, after: float) -> float:
    """Return how far a host's clock is off, in seconds.

    The host read its clock between *before* and *after* of our clock, and cut its answer to whole seconds.
    """
    return max(before - 1 - there, there - after, 0.0)


def read_servers(statistics: str) -> dict[str, dict[str, str]]:
    """Return HAProxy's row of each router slot, by the server's name, from the output of `show stat`."""
    rows = csv.DictReader(io.StringIO(statistics.lstrip("# ")))
    return {row["svname"]: row for row in rows if row["pxname"] == "routers" and row["svname"] != "BACKEND"}
