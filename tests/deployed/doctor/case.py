"""The input of the doctor: a client's settings, the expected pools, the hosts and roles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctor.client import Client

if TYPE_CHECKING:
    from testinfra.host import Host


@dataclass(frozen=True, eq=False)
class Machine:
    """A host of the inventory, with the roles that it has there."""

    name: str
    roles: Sequence[str]
    host: Host


@dataclass(frozen=True)
class Case:
    """Everything that the walk reads. `pools` has the cheap and the strong pool of each virtual model."""

    client: Client
    pools: Mapping[str, Sequence[str]]
    machines: Sequence[Machine] = ()
    # Whether requests may be sent to models; each costs at most 16 tokens.
    live: bool = True
    # Facts that links found, for later links: machine's name -> facts.
    known: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, role: str) -> list[Machine]:
        """Return the machines with a role."""
        return [machine for machine in self.machines if role in machine.roles]

    def learn(self, machine: Machine, **facts: str) -> None:
        """Save a fact about a machine."""
        self.known.setdefault(machine.name, {}).update(facts)


def reach(way: Mapping[str, Any]) -> Host:
    """Return the host behind `way`: testinfra's name of it, and for SSH its identity file and further options."""
    # Imported here, because a client's machine has neither hosts to check nor testinfra.
    import testinfra

    options: dict[str, Any] = {name: way[name] for name in ("ssh_identity_file", "ansible_inventory") if way.get(name)}
    if way["host"].startswith("ansible://"):
        options["force_ansible"] = True
    host = testinfra.get_host(way["host"], sudo=way["host"] != "local://", **options)
    if way.get("ssh_args") and hasattr(host.backend, "ssh_extra_args"):
        host.backend.ssh_extra_args = way["ssh_args"]
    return host


def read_case(file: Path, client: Client) -> Case:
    """Read the case as playbooks/doctor.yml writes it, of a client.

    Raises:
        OSError, ValueError, KeyError: the file cannot be read, or is not a case.
    """
    told = json.loads(file.read_text(encoding="utf-8"))
    machines = [Machine(one["name"], one["roles"], reach(one["way"])) for one in told["machines"]]
    return Case(client, told["pools"], machines, live=bool(told["live"]))
