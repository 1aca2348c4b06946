"""Checks of the groups and addresses of an inventory, before any host is contacted."""

from __future__ import annotations

from collections.abc import Iterator

from preflight_rules.finding import Finding

from .topology import Groups, HostVars

NEEDED_GROUPS = {
    "routers": "runs LiteLLM",
    "gateways": "receives the requests",
    "redis_servers": "stores what the routers share",
}


def _hosts_by_address(hostvars: HostVars, groups: Groups) -> dict[str, list[str]]:
    """Return the hosts of each address that is reached over a network; those of this machine share it."""
    found: dict[str, list[str]] = {}
    for host in groups["all"]:
        variables = hostvars[host]
        if variables.get("ansible_connection", "ssh") == "ssh":
            address = f"{variables.get('ansible_host') or host}:{variables.get('ansible_port') or 22}"
            found.setdefault(address, []).append(host)
    return found


def _findings(hostvars: HostVars, groups: Groups) -> Iterator[Finding]:
    for group, purpose in NEEDED_GROUPS.items():
        if not groups.get(group):
            yield Finding(
                subject=group,
                wrong=f"the inventory has no host in this group, which {purpose}",
                fix="list at least one host in it; inventory/example/hosts.yml shows how",
            )
    for host in groups.get("router_leaving") or []:
        if host in (groups.get("routers") or []):
            yield Finding(
                subject="router_leaving",
                wrong=f"{host} is in routers too",
                fix="remove it from routers to drain and clean it, or from router_leaving to keep it",
            )
    for address, hosts in _hosts_by_address(hostvars, groups).items():
        if len(hosts) > 1:
            yield Finding(
                subject="ansible_host",
                wrong=f"{' and '.join(hosts)} have the same address, {address}",
                fix="give each its own address; to give one machine several roles, list one name in several groups",
            )


def inventory_findings(hostvars: HostVars, groups: Groups) -> list[Finding]:
    """Return what is wrong with the inventory."""
    return list(_findings(hostvars, groups))
