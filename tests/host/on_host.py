"""What the host checks know of a host: its directories, its containers, and how to ask it."""

import functools
import json
import os
from typing import Any

from testinfra.host import Host

BASE_DIR = "/opt/litellm-vibe-router"
ROUTER_DIR = f"{BASE_DIR}/router"
CONTAINERS = {"redis": "vibe-redis", "gateway": "vibe-gateway", "stub_upstream": "vibe-stub-upstream"}
ROLES = os.environ.get("VIBE_HOST_ROLES", "router redis gateway stub_upstream").split()

# A restart within so many minutes is a fault, an older one a note.
QUIET_MINUTES = float(os.environ.get("VIBE_RESTART_QUIET_MINUTES", "10"))


def command(host: Host, text: str) -> str:
    """Run *text* on the host and return its output; the check fails with the command's own words."""
    result = host.run(text)
    assert result.rc == 0, f"{text}: exit code {result.rc}: {result.stderr or result.stdout}"
    return str(result.stdout)


@functools.cache
def inspect(host: Host, name: str) -> dict[str, Any]:
    """Return what `docker inspect` says of a container; asked once for all checks."""
    inspected: list[dict[str, Any]] = json.loads(command(host, f"docker inspect {name}"))
    return inspected[0]


@functools.cache
def serving_container(host: Host) -> str:
    """Return the name of the router container that `serving` names."""
    slot = command(host, f"readlink {ROUTER_DIR}/serving").strip().rsplit("/", 1)[-1].removesuffix(".env")
    return f"litellm-vibe-router-{slot}"


def container_name(host: Host, role: str) -> str:
    """Return the name of the container that *role* runs on this host."""
    return serving_container(host) if role == "router" else CONTAINERS[role]
