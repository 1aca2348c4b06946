"""Rows of ./deploy.sh status: one for each container of the deployment, or one with the reason why a host has none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

from .audit import Table
from .topology import Groups, HostVars


class Row(TypedDict):
    """One container; empty strings where a column does not apply."""

    host: str
    role: str
    slot: str
    serves: bool
    release: str
    image: str
    state: str
    health: str
    uptime: str
    gateways: str
    last_good: str
    drift: str


_UNITS = {"second": "s", "minute": "min", "hour": "h", "day": "d", "week": "weeks", "month": "months"}
_EMPTY = Row(
    host="",
    role="",
    slot="",
    serves=False,
    release="",
    image="",
    state="",
    health="",
    uptime="",
    gateways="",
    last_good="",
    drift="",
)


def _drift(host: str, found: Sequence[Mapping[str, Any]] | None) -> str:
    """Return the number of the host's findings in the last drift check."""
    if found is None:
        return "not checked"
    return str(sum(finding["host"] == host for finding in found) or "none")


def _health(container: Mapping[str, Any]) -> str:
    if container["State"] != "running":
        return str(container["State"])
    match = re.search(r"\((.*)\)", container["Status"])
    return match[1] if match else "-"


def _uptime(container: Mapping[str, Any]) -> str:
    if container["State"] != "running":
        return ""
    words = re.sub(r"^Up | ?\(.*\)$", "", container["Status"])
    # Docker says "About a minute", "3 hours"; a table has room for "1 min", "3 h".
    match = re.match(r"(?:About |Less than )?(an?|\d+) (second|minute|hour|day|week|month)", words)
    return f"{1 if match[1].startswith('a') else match[1]} {_UNITS[match[2]]}" if match else words


def _containers(host: str, hostvars: HostVars, groups: Groups, folder: str, drift: str) -> Iterator[Row]:
    seen = hostvars[host]
    for container in (seen.get("vibe_engine") or {}).get("containers") or []:
        labels = container["Labels"]
        project = labels.get("com.docker.compose.project.working_dir", "")
        if not project.startswith(folder):
            continue
        role, slot = project.removeprefix(folder).split("/")[0], labels.get("vibe.slot", "")
        is_router = role == "router"
        states = [
            (hostvars[gateway]["gateway_server_states"].get(f"{host}-{slot}") or {}).get("status", "unknown")
            for gateway in groups["gateways"]
            if is_router and hostvars[gateway].get("gateway_server_states") is not None
        ]
        yield Row(
            host=host,
            role=role,
            slot=slot,
            serves=not is_router or slot == seen.get("router_serving_slot", ""),
            release=labels.get("vibe.release", ""),
            image=container["Image"],
            state=container["State"],
            health=_health(container),
            uptime=_uptime(container),
            gateways=", ".join(dict.fromkeys(states)),
            last_good=(seen.get("router_good_releases") or [""])[-1] if is_router else "",
            drift=drift,
        )


def _without_containers(host: str, engine: Mapping[str, Any], drift: str) -> Row:
    if not engine or engine.get("unreachable"):
        state = "unreachable"
    elif "containers" not in engine:
        state = "no engine"
    else:
        state = "nothing runs"
    return {**_EMPTY, "host": host, "state": state, "drift": drift}


def status_rows(
    hostvars: HostVars, groups: Groups, folder: str, found: Sequence[Mapping[str, Any]] | None
) -> list[Row]:
    """Return the rows of all hosts.

    *folder* is the deployment's folder on a host, *found* the findings of the last drift check, or None without one.
    """
    rows: list[Row] = []
    for host in groups["all"]:
        drift = _drift(host, found)
        own = sorted(_containers(host, hostvars, groups, f"{folder}/", drift), key=lambda row: row["role"])
        rows += own or [_without_containers(host, hostvars[host].get("vibe_engine") or {}, drift)]
    return rows


def status_table(rows: Sequence[Row]) -> Table:
    """Return the table that the terminal shows; the JSON has the images too."""
    shown = [
        [
            row["host"],
            row["role"] or "-",
            f"{row['slot']}{' *' if row['serves'] else ''}" if row["slot"] else "-",
            row["release"] or "-",
            row["health"] or row["state"],
            row["uptime"] or "-",
            row["gateways"] or "-",
            row["last_good"] or "-",
            row["drift"],
        ]
        for row in rows
    ]
    return Table(
        columns=["host", "role", "slot", "release", "health", "uptime", "gateways", "last good", "drift"],
        rows=shown,
        note="* serves. gateways: state of the slot at each gateway. drift: findings of the last ./deploy.sh drift.",
        optional=["last good", "uptime"],
    )
