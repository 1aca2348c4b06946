"""What a host lacks: memory, disk, the right time, free ports, a place for the deployment, reachable routers."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .finding import Finding, Variables
from .gateway import tls_mode
from .router import memory_of_workers_mib, slot_ports
from .values import KINDS

# Distribution -> major or full versions that the docker role supports.
SUPPORTED = {"Debian": ("12", "13"), "Ubuntu": ("22.04", "24.04", "26.04")}
# A machine sold with 2 GiB shows a little less.
_MEMORY_TOLERANCE = 0.92
# Seconds. TLS and request signatures fail on a wrong clock.
_MAX_CLOCK_SKEW = 60
# The roles that run containers on a host, with the beginning of their names after the deployment's prefix.
_CONTAINERS = ("vibe-", "litellm-vibe-router-")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class _Container(NamedTuple):
    name: str
    folder: str
    is_deployed: bool


class Probe(NamedTuple):
    """What one probe of the host printed; see tasks/host.yml."""

    # Seconds since 1970, on the control node and on the host, both at the moment of the probe.
    clocks: tuple[int, int]
    memory_mib: int
    # Free MiB by mount point.
    free_mib: dict[str, int]
    listening: list[tuple[Address, int]]
    containers: list[_Container]


class _Port(NamedTuple):
    option: str
    number: int
    address: str
    container: str


def _kernel_address(text: str) -> Address:
    """Return the address that /proc/net/tcp and tcp6 write as 32-bit words in the host's (little-endian) order."""
    words = bytes.fromhex(text)
    return ipaddress.ip_address(b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4)))


def parse_probe(lines: Iterable[str]) -> Probe:
    """Return the probe that these *lines* describe."""
    clocks, memory = (0, 0), 0
    free: dict[str, int] = {}
    listening: list[tuple[Address, int]] = []
    containers: list[_Container] = []
    for line in lines:
        word, *rest = line.split()
        if word == "clock":
            clocks = (int(rest[0]), int(rest[1]))
        elif word == "memory":
            memory = int(rest[0])
        elif word == "listening":
            address, port = rest[0].split(":")
            listening.append((_kernel_address(address), int(port, 16)))
        elif word == "container":
            containers.append(_Container(rest[0], rest[1], rest[2:] == ["deployed"]))
        elif word.startswith("/"):
            free[word] = int(rest[0])
    return Probe(clocks, memory, free, listening, containers)


def system_findings(distribution: str, version: str) -> list[Finding]:
    """Return a finding if the docker role doesn't support the distribution of this full *version*, such as 12.11."""
    release = version.split(".")[0] if distribution == "Debian" else version
    if release in SUPPORTED.get(distribution, ()):
        return []
    return [
        Finding(
            subject="operating system",
            wrong=f"{distribution} {version} is not supported",
            fix="use Debian 12 or 13, or Ubuntu 22.04, 24.04 or 26.04",
        )
    ]


def _resources(probe: Probe, variables: Variables, roles: Iterable[str]) -> Iterator[Finding]:
    needed = int(variables["preflight_min_memory_mib"])
    if probe.memory_mib < needed * _MEMORY_TOLERANCE:
        wrong = f"the host has {probe.memory_mib} MiB, and {needed} are needed"
        yield Finding(subject="memory", wrong=wrong, fix="use a larger host, or lower preflight_min_memory_mib")
    workers = str(variables.get("router_workers", "auto"))
    # One worker is the least that auto starts, and preflight_min_memory_mib covers it. Both slots run during a rollout.
    if "router" in roles and workers.isdecimal() and workers != "1":
        both_slots = 2 * memory_of_workers_mib(variables) + int(variables["router_reserved_memory_mib"])
        if both_slots > probe.memory_mib:
            yield Finding(
                subject="router_workers",
                wrong=f"{workers} workers need {both_slots} MiB while two slots run; the host has {probe.memory_mib}",
                fix="set auto, which starts as many as fit, or use a larger host",
            )
    needed = int(variables["preflight_min_disk_mib"])
    for mount, free in probe.free_mib.items():
        if free < needed:
            yield Finding(
                subject="disk",
                wrong=f"{mount} has {free} MiB free, and {needed} are needed",
                fix="free some (docker system prune removes unused images), or lower preflight_min_disk_mib",
            )
    skew = abs(probe.clocks[1] - probe.clocks[0])
    if skew > _MAX_CLOCK_SKEW:
        yield Finding(
            subject="clock",
            wrong=f"it differs from the control node's by {skew} s",
            fix="set the time (timedatectl set-ntp true): TLS and request signatures fail with a wrong clock",
        )


def _wanted_ports(variables: Variables, roles: Iterable[str]) -> Iterator[_Port]:
    """Yield the ports that the roles of this host will listen on."""
    prefix = variables.get("vibe_container_prefix") or ""
    if "gateway" in roles:
        address, container = str(variables["gateway_bind_address"]), f"{prefix}vibe-gateway"
        yield _Port("gateway_port", int(variables["gateway_port"]), address, container)
        if tls_mode(variables) == "acme":
            yield _Port("gateway_acme_port", int(variables["gateway_acme_port"]), address, container)
    if "router" in roles:
        for slot in variables.get("router_slots") or []:
            container = f"{prefix}litellm-vibe-router-{slot['name']}"
            serving, metrics = slot_ports(slot)
            yield _Port("router_slots", serving, str(variables["router_bind_address"]), container)
            yield _Port("router_slots", metrics, "127.0.0.1", container)


def _is_in_the_way(listener: Address, wanted: str) -> bool:
    """Whether a listener on one address keeps *wanted* from listening on the same port."""
    if wanted == "*" or listener.is_unspecified:
        return True
    try:
        address = ipaddress.ip_address(wanted)
    except ValueError:
        # A name: it may be any of the host's addresses.
        return True
    mapped = getattr(listener, "ipv4_mapped", None)
    return address.is_unspecified or address in (listener, mapped)


def _ports(probe: Probe, variables: Variables, roles: Iterable[str]) -> Iterator[Finding]:
    running = {container.name for container in probe.containers}
    for port in _wanted_ports(variables, roles):
        if port.container in running:
            continue
        if any(number == port.number and _is_in_the_way(at, port.address) for at, number in probe.listening):
            yield Finding(
                subject=port.option,
                wrong=f"port {port.number} on {port.address} is used by another program",
                fix=f"stop that program (ss -ltnp shows it), or set {port.option} to a free port",
            )


def _place(probe: Probe, variables: Variables) -> Iterator[Finding]:
    """Yield a finding if a deployment exists elsewhere on the host: both would want the same ports."""
    folder = str(variables["vibe_dir"])
    prefix = variables.get("vibe_container_prefix") or ""
    if not KINDS["folder"].takes(folder):
        return
    for container in probe.containers:
        is_here = container.folder.startswith(f"{folder}/")
        has_name = container.name.startswith(tuple(prefix + name for name in _CONTAINERS))
        if container.is_deployed and not (is_here and has_name):
            yield Finding(
                subject="vibe_container_prefix" if is_here else "vibe_dir",
                wrong=f"there is a deployment already, with container {container.name} from {container.folder}",
                fix="set vibe_dir and vibe_container_prefix to their previous values, or remove that deployment first:"
                " ./deploy.sh teardown with those values",
            )
            return


def host_findings(probe: Probe, variables: Variables, roles: Iterable[str]) -> list[Finding]:
    """Return what the host lacks for the *roles* that it will get."""
    wanted = list(roles)
    found = [*_resources(probe, variables, wanted), *_place(probe, variables), *_ports(probe, variables, wanted)]
    # Several listeners on one port are one fault.
    return [finding for at, finding in enumerate(found) if finding not in found[:at]]


def reach_findings(unreached: Mapping[str, str]) -> list[Finding]:
    """Return a finding for each HOST:PORT of *unreached*, which has the reasons."""
    return [
        Finding(
            subject="gateway_servers",
            wrong=f"this host cannot reach {target}: {reason}",
            fix="open the port between the two hosts, or correct the address (vibe_router_address, ansible_host)",
        )
        for target, reason in unreached.items()
    ]


def docker_findings(failed: Mapping[str, Any]) -> list[Finding]:
    """Return the findings of the docker role's own checks; *failed* is the result of the task that failed."""
    results = failed.get("results") or [failed]
    return [
        Finding(subject="docker", wrong=re.sub(r"[.]+$", "", result["msg"]), fix="see roles/docker/README.md")
        for result in results
        if result.get("failed")
    ]
