"""The gateway sends requests to the serving slot of every router."""

from __future__ import annotations

from deployed_names import CONTAINERS, GATEWAY_DIR
from report.model import require

from host.context import HINT_DEPLOY, HostContext
from host.measures import READ_STATISTICS, read_servers
from host.registry import check


@check("gateway")
def every_router_host_has_a_slot_in_service(host: HostContext) -> None:
    servers = list(read_servers(host.command(READ_STATISTICS)).values())
    require(bool(servers), "a slot of each router host", "none", "gateway_servers; ./deploy.sh renders it again")
    hosts = {row["svname"].rsplit("-", 1)[0] for row in servers}
    # "UP 2/3" has missed a health check, but is still in service.
    hosts_up = {row["svname"].rsplit("-", 1)[0] for row in servers if row["status"].startswith("UP")}
    found = ", ".join(f"{row['svname']} {row['status']}" for row in servers)
    # Only the routers know whether these serve: report/fleet.py compares.
    host.about["servers"] = found
    expected = f"a slot UP for each of {', '.join(sorted(hosts))}"
    require(hosts_up == hosts, expected, found, f"{HINT_DEPLOY}; docs/runbooks.md: a dead host")


@check("gateway")
def only_the_gateway_can_use_its_admin_socket(host: HostContext) -> None:
    mode, _ = host.owner(f"{GATEWAY_DIR}/run")
    require(mode == "0700", f"mode 0700 on {GATEWAY_DIR}/run", mode, HINT_DEPLOY)


@check("gateway")
def gateway_configuration_is_valid(host: HostContext) -> None:
    host.command(f"docker exec {CONTAINERS['gateway']} haproxy -c -f /usr/local/etc/haproxy/haproxy.cfg")
