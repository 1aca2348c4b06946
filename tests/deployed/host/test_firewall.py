"""Only the hosts that need them reach slots and Redis."""

import re
from typing import Any

import pytest
from host.on_host import NOT_HERE, ROLES, command
from report.model import require
from testinfra.host import Host

pytestmark = pytest.mark.skipif("firewall" not in ROLES, reason=f"{NOT_HERE} firewall")
TABLE = "nft --stateless list table inet litellm_vibe_router"
LOOPBACK = ("127.", "::1")
KEPT = ("router", "redis")


def test_what_is_published_is_kept_to_those_who_need_it(host: Host, role: str, container: dict[str, Any]) -> None:
    bindings = [each for many in (container["HostConfig"]["PortBindings"] or {}).values() for each in many or []]
    ports = (
        {each["HostPort"] for each in bindings if not each["HostIp"].startswith(LOOPBACK)} if role in KEPT else set()
    )
    if not ports:
        return
    lines = [line for line in command(host, TABLE).splitlines() if line.strip().endswith("drop")]
    kept = {port for line in lines for port in re.findall(r"\d+", line.partition("tcp dport")[2])}
    hint = "./deploy.sh --tags firewall loads the rules; somebody has taken them out, or another program flushes them"
    require(ports <= kept, f"rules for {', '.join(sorted(ports))}", f"none for {', '.join(sorted(ports - kept))}", hint)
