"""The connections between hosts: the gateways' servers, the firewall's allowed sources, the virtual models' pools."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypedDict

HostVars = Mapping[str, Mapping[str, Any]]
Groups = Mapping[str, list[str]]

_LOOPBACK = re.compile(r"127[.]|::1$|localhost$|$")
_REDIS_PORT = 6379


class Server(TypedDict):
    """One slot of one router host, as a server of the gateways."""

    name: str
    address: str
    port: int


class Service(TypedDict):
    """Ports of a host that only some addresses may reach; *own* if the host itself is among its clients."""

    name: str
    ports: list[int]
    addresses: list[str]
    own: bool


class Peer(TypedDict):
    """Ports of another host that this host may reach."""

    address: str
    ports: list[int]


def _addresses(host: str, hostvars: HostVars) -> list[str]:
    """Return the addresses from which other hosts see *host*."""
    variables = hostvars[host]
    return list(variables.get("vibe_addresses") or [variables.get("ansible_host") or host])


def _is_local(address: object) -> bool:
    return _LOOPBACK.match(str(address or "")) is not None


def _slot_ports(variables: Mapping[str, Any]) -> list[int]:
    return [int(slot["port"]) for slot in variables["router_slots"]]


def _redis_port(variables: Mapping[str, Any]) -> int:
    return int(variables.get("redis_port") or _REDIS_PORT)


def gateway_servers(hostvars: HostVars, routers: Iterable[str]) -> list[Server]:
    """Return every slot of every router host; health checks find the one that serves."""
    return [
        Server(
            name=f"{host}-{slot['name']}",
            address=hostvars[host].get("vibe_router_address") or hostvars[host].get("ansible_host") or host,
            port=slot["port"],
        )
        for host in routers
        for slot in hostvars[host]["router_slots"]
    ]


def remote_targets(servers: Iterable[Server]) -> list[str]:
    """Return HOST:PORT of the servers that are reached over a network."""
    return [f"{server['address']}:{server['port']}" for server in servers if not server["address"].startswith("127.")]


def serving_servers(hostvars: HostVars, routers: Iterable[str]) -> list[str]:
    """Return the names of the serving servers, from the routers' state."""
    slots = ((host, hostvars[host].get("router_serving_slot")) for host in routers)
    return [f"{host}-{slot}" for host, slot in slots if slot]


def firewall_services(host: str, hostvars: HostVars, groups: Groups) -> list[Service]:
    """Return the services of *host* for some of the other hosts; loopback needs no protection."""
    variables = hostvars[host]
    kept: list[tuple[str, list[int], str]] = []
    if host in groups["routers"] and not _is_local(variables.get("router_bind_address")):
        kept.append(("slots", _slot_ports(variables), "gateways"))
    if host in groups["redis_servers"] and not _is_local(variables.get("redis_publish_address")):
        kept.append(("redis", [_redis_port(variables)], "routers"))
    return [
        Service(
            name=name,
            ports=ports,
            addresses=list(
                dict.fromkeys(address for client in groups[group] for address in _addresses(client, hostvars))
            ),
            own=host in groups[group],
        )
        for name, ports, group in kept
    ]


def _peer_hosts(host: str, hostvars: HostVars, groups: Groups) -> Iterator[tuple[str, list[int]]]:
    if host in groups["gateways"]:
        for router in groups["routers"]:
            if router != host and not _is_local(hostvars[router].get("router_bind_address")):
                yield router, _slot_ports(hostvars[router])
    if host in groups["routers"]:
        for redis in groups["redis_servers"]:
            if redis != host and not _is_local(hostvars[redis].get("redis_publish_address")):
                yield redis, [_redis_port(hostvars[redis])]


def firewall_peers(host: str, hostvars: HostVars, groups: Groups) -> list[Peer]:
    """Return the services of other hosts that *host* may reach, and that its other containers must not."""
    return [
        Peer(address=address, ports=ports)
        for peer, ports in _peer_hosts(host, hostvars, groups)
        for address in _addresses(peer, hostvars)
    ]


def expected_pools(families: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the cheap and the strong pool of each virtual model; the safe one twice if routing is not active."""
    pools: dict[str, list[str]] = {}
    for family in families:
        safe = family.get("safe_pool") or family["strong_pool"]
        # False is YAML's reading of off.
        is_active = family.get("routing", "active") == "active"
        pools[family["virtual_model"]] = [family["cheap_pool"], family["strong_pool"]] if is_active else [safe, safe]
    return pools


def context_windows(families: Iterable[Mapping[str, Any]], pools: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return, for each virtual model, the smallest known context window of its pools, in tokens.

    Known is what the deployments' ``model_info.max_input_tokens`` say; a virtual model without any is left out.
    """
    of_a_pool = {
        pool["name"]: [
            int(deployment["model_info"]["max_input_tokens"])
            for deployment in pool["deployments"]
            if (deployment.get("model_info") or {}).get("max_input_tokens")
        ]
        for pool in pools
    }
    found = {}
    for family in families:
        names = [family["cheap_pool"], family["strong_pool"], *(family.get("strong_alternatives") or [])]
        windows = [tokens for name in names for tokens in of_a_pool.get(name, [])]
        if windows:
            found[family["virtual_model"]] = min(windows)
    return found
