"""How the host checks reach a host: its directories, its containers, its commands."""

import functools
import json
import os
from typing import Any

from deployed_names import CONTAINERS, ROUTER_DIR, ROUTER_PREFIX
from report.model import require
from testinfra.host import Host

ROLES = os.environ.get("VIBE_HOST_ROLES", "router redis gateway stub_upstream").split()

# A host that is leaving keeps its engine, and nothing of the deployment.
LEAVES = not {"router", *CONTAINERS} & set(ROLES)

# The beginning of the skip reason of a check for a role that the host does not have.
NOT_HERE = "this host runs no"

# A restart within so many minutes is a fault, an older one a note.
QUIET_MINUTES = float(os.environ.get("VIBE_RESTART_QUIET_MINUTES", "10"))

# Fixes that several checks share.
HINT_DEPLOY = "deploy again: ./deploy.sh restores what the inventory describes; ./deploy.sh drift shows it before"
HINT_BY_HAND = "the role's compose.yaml sets it; a container made by hand does not have it: ./deploy.sh makes it again"
HINT_LOG = "docker logs {name} 2>&1 | tail -50 on that host says why"


@functools.cache
def reach(host: Host) -> str:
    """Return why the host cannot be asked, "" if it can; read once for all checks."""
    result = host.run("true")
    return "" if result.rc == 0 else " ".join((result.stderr or f"exit code {result.rc}").split())


def command(host: Host, text: str) -> str:
    """Run *text* on the host and return its output; the check fails with the command's own message."""
    result = host.run(text)
    said = " ".join((result.stderr or result.stdout).split())
    require(result.rc == 0, f"`{text}` to succeed", f"exit code {result.rc}: {said}", HINT_DEPLOY)
    return str(result.stdout)


@functools.cache
def inspect(host: Host, name: str) -> dict[str, Any]:
    """Return the `docker inspect` output of a container; read once for all checks."""
    inspected: list[dict[str, Any]] = json.loads(command(host, f"docker inspect {name}"))
    return inspected[0]


@functools.cache
def serving_container(host: Host) -> str:
    """Return the name of the router container that `serving` names."""
    slot = command(host, f"readlink {ROUTER_DIR}/serving").strip().rsplit("/", 1)[-1].removesuffix(".env")
    return f"{ROUTER_PREFIX}-{slot}"


def container_name(host: Host, role: str) -> str:
    """Return the name of the container that *role* runs on this host."""
    return serving_container(host) if role == "router" else CONTAINERS[role]
