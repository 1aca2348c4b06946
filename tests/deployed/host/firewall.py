"""Only the hosts that need them reach slots and Redis."""

from __future__ import annotations

import re

from deployed_names import FIREWALL_TABLE
from report.model import require

from host.context import HostContext
from host.registry import check

TABLE = f"nft --stateless list table inet {FIREWALL_TABLE}"
LOOPBACK = ("127.", "::1")
KEPT = ("router", "redis")


@check("firewall", each=KEPT)
def firewall_limits_published_ports_to_hosts_that_need_them(host: HostContext, role: str) -> None:
    published = host.container(role)["HostConfig"]["PortBindings"] or {}
    bindings = [each for many in published.values() for each in many or []]
    ports = {each["HostPort"] for each in bindings if not each["HostIp"].startswith(LOOPBACK)}
    if not ports:
        return
    lines = [line for line in host.command(TABLE).splitlines() if line.strip().endswith("drop")]
    kept = {port for line in lines for port in re.findall(r"\d+", line.partition("tcp dport")[2])}
    hint = "./deploy.sh --tags firewall loads the rules; somebody has taken them out, or another program flushes them"
    require(ports <= kept, f"rules for {', '.join(sorted(ports))}", f"none for {', '.join(sorted(ports - kept))}", hint)
