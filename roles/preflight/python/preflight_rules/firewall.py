"""Rules across the variables of the firewall role."""

from __future__ import annotations

from collections.abc import Iterator

from .finding import Rules, Variables
from .values import is_network

rules = Rules()


def _service_ports(variables: Variables) -> set[int]:
    return {int(port) for service in variables["firewall_services"] for port in service["ports"]}


@rules(
    "firewall_services",
    fix="give each host an IP address as ansible_host, or list them in vibe_addresses; keep SSH on its own port",
)
def sources_are_addresses(variables: Variables) -> Iterator[str]:
    for service in variables["firewall_services"]:
        for address in service["addresses"]:
            if not is_network(address):
                yield f'{service["name"]}: the source "{address}" is neither an address nor a network'
    for peer in variables["firewall_peers"]:
        if not is_network(peer["address"]):
            yield f'"{peer["address"]}", the address of a router or Redis, is not an IP address'
    if int(variables["firewall_ssh_port"]) in _service_ports(variables):
        yield f"SSH and a service share port {variables['firewall_ssh_port']}"


@rules("firewall_open_ports", fix="list TCP ports from 1 to 65535 that no slot and no Redis uses")
def open_ports_are_free(variables: Variables) -> Iterator[str]:
    for port in variables.get("firewall_open_ports") or []:
        if not 0 < int(port) < 65_536 or int(port) in _service_ports(variables):
            yield f"port {port} can't be open to everyone"
