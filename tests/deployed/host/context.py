"""The host under check: its commands, its containers, its release, and what the checks found out about it.

Needs neither testinfra nor pytest, and only Python 3.9: tests/verify.py runs the checks on a host that has neither.
"""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass, field
from typing import Any, Protocol

from deployed_names import CONTAINERS, FIREWALL_TABLE, ROUTER_DIR, ROUTER_PREFIX
from report.model import CheckFailedError, require

# Fixes that several checks share.
HINT_DEPLOY = "deploy again: ./deploy.sh restores what the inventory describes; ./deploy.sh drift shows it before"
HINT_BY_HAND = "the role's compose.yaml sets it; a container made by hand does not have it: ./deploy.sh makes it again"
HINT_LOG = "docker logs {name} 2>&1 | tail -50 on that host says why"

CURRENT = f"{ROUTER_DIR}/current"


class Answer(Protocol):
    """What a command returned."""

    @property
    def rc(self) -> int:
        """Its exit code."""

    @property
    def stdout(self) -> str:
        """What it printed."""

    @property
    def stderr(self) -> str:
        """Its messages."""


class Shell(Protocol):
    """Runs commands on a host: testinfra's Host does, over any connection, and `LocalShell` does without it."""

    def run(self, command: str) -> Answer:
        """Run *command* with the host's shell."""


@dataclass(eq=False)
class HostContext:
    """A host with its roles. `about` and `notes` are for the report: facts by name, and remarks that are not faults."""

    shell: Shell
    name: str
    roles: tuple[str, ...]
    # A restart within so many minutes is a fault, an older one a note.
    quiet_minutes: float = 10.0
    about: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _inspected: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def leaves(self) -> bool:
        """Whether the host is being removed: it keeps its engine, and nothing of the deployment."""
        return not {"router", *CONTAINERS} & set(self.roles)

    @functools.cached_property
    def silence(self) -> str:
        """Why the host does not answer; empty if it does."""
        result = self.shell.run("true")
        return "" if result.rc == 0 else " ".join((result.stderr or f"exit code {result.rc}").split())

    def command(self, text: str) -> str:
        """Run *text* on the host and return its output; the check fails with the command's own message."""
        result = self.shell.run(text)
        said = " ".join((result.stderr or result.stdout).split())
        require(result.rc == 0, f"`{text}` to succeed", f"exit code {result.rc}: {said}", HINT_DEPLOY)
        return str(result.stdout)

    def json_file(self, path: str) -> dict[str, Any]:
        """Return the JSON object in a file. Its text is never quoted: it may hold secrets."""
        text = self.command(f"cat {path}")
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise CheckFailedError(f"a JSON object in {path}", "something else", HINT_DEPLOY)
        return value

    def inspect(self, container: str) -> dict[str, Any]:
        """Return the `docker inspect` output of a container; read once for all checks."""
        if container not in self._inspected:
            self._inspected[container] = json.loads(self.command(f"docker inspect {container}"))[0]
        return self._inspected[container]

    @functools.cached_property
    def serving_container(self) -> str:
        """The name of the router container that `serving` names."""
        slot = self.command(f"readlink {ROUTER_DIR}/serving").strip().rsplit("/", 1)[-1].removesuffix(".env")
        return f"{ROUTER_PREFIX}-{slot}"

    def container_name(self, role: str) -> str:
        """Return the name of the container that *role* runs on this host."""
        return self.serving_container if role == "router" else CONTAINERS[role]

    def container(self, role: str) -> dict[str, Any]:
        """Return the `docker inspect` output of the container that *role* runs."""
        return self.inspect(self.container_name(role))

    @property
    def router(self) -> dict[str, Any]:
        """The `docker inspect` output of the serving router slot."""
        return self.container("router")

    def owner(self, path: str) -> tuple[str, int]:
        """Return the mode of a file, as four octal digits, and its user's number."""
        mode, uid = self.command(f"stat --format '%a %u' {path}").split()
        return mode.zfill(4), int(uid)


def roles_here(shell: Shell) -> tuple[str, ...]:
    """Return the roles that a host has, by what was deployed on it; for a run without an inventory."""
    signs = {"router": f"test -L {CURRENT}", "firewall": f"nft list table inet {FIREWALL_TABLE}"}
    signs.update({role: f"docker inspect {name}" for role, name in CONTAINERS.items()})
    return tuple(role for role, sign in signs.items() if shell.run(f"{sign} >/dev/null 2>&1").rc == 0)


def given_roles() -> tuple[str, ...]:
    """Return the roles that the verification role names for the host; by hand, all that run a container."""
    return tuple(os.environ.get("VIBE_HOST_ROLES", " ".join(("router", *CONTAINERS))).split())


def context_of(shell: Shell, roles: tuple[str, ...]) -> HostContext:
    """Return the context of a host with *roles*, as the environment describes it."""
    return HostContext(
        shell,
        os.environ.get("VIBE_HOST_NAME", "local"),
        roles,
        float(os.environ.get("VIBE_RESTART_QUIET_MINUTES", "10")),
    )
