"""The serving slot closes an idle connection before the provider does, which would lose a request."""

from __future__ import annotations

import re
from pathlib import Path

from e2e.machine import chat, containers, run, wait_for

STUB = "vibe-stub-upstream"
STUB_PORT = 8080
ESTABLISHED = "01"
# The stub keeps an idle connection for 75 s and LiteLLM by itself for 120; __router_upstream_keepalive is 4, to which
# aiohttp adds up to as much again.
GIVEN_UP_SECONDS = 30


def _connections() -> set[str]:
    """Return the clients' ends of the connections to the stub."""
    process = run("docker", "inspect", "--format", "{{.State.Pid}}", STUB).stdout.strip()
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            _, near, far, state = line.split()[:4]
            if state == ESTABLISHED and re.search(rf":{STUB_PORT:04X}$", near):
                found.add(far)
    return found


def test_an_idle_connection_to_a_provider_is_given_up_before_the_provider_does(deployed: dict[str, str]) -> None:
    assert STUB in containers()
    before = _connections()
    assert chat(deployed, "hi").status_code == 200
    kept = _connections() - before
    assert kept or before, "no connection is kept: each request would pay for a new one"
    wait_for(lambda: not (_connections() & (kept | before)), GIVEN_UP_SECONDS, lambda: f"still open: {_connections()}")
