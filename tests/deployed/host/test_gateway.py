"""The gateway sends requests to the serving slot of every router."""

import pytest
from deployed_names import BASE_DIR, CONTAINERS
from host.measures import READ_STATISTICS, read_servers
from host.on_host import HINT_DEPLOY, NOT_HERE, ROLES, command
from report.model import require
from testinfra.host import Host

pytestmark = pytest.mark.skipif("gateway" not in ROLES, reason=f"{NOT_HERE} gateway")


def test_every_router_host_has_a_slot_in_service(host: Host, about: dict[str, str]) -> None:
    servers = list(read_servers(command(host, READ_STATISTICS)).values())
    require(bool(servers), "a slot of each router host", "none", "gateway_servers; ./deploy.sh renders it again")
    hosts = {row["svname"].rsplit("-", 1)[0] for row in servers}
    # "UP 2/3" has missed a health check, but is still in service.
    hosts_up = {row["svname"].rsplit("-", 1)[0] for row in servers if row["status"].startswith("UP")}
    found = ", ".join(f"{row['svname']} {row['status']}" for row in servers)
    # Only the routers know whether these serve: report/fleet.py compares.
    about["servers"] = found
    expected = f"a slot UP for each of {', '.join(sorted(hosts))}"
    require(hosts_up == hosts, expected, found, f"{HINT_DEPLOY}; docs/runbooks.md: a dead host")


def test_runtime_socket_is_for_the_gateway_alone(host: Host) -> None:
    mode = f"{host.file(f'{BASE_DIR}/gateway/run').mode:04o}"
    require(mode == "0700", f"mode 0700 on {BASE_DIR}/gateway/run", mode, HINT_DEPLOY)


def test_configuration_in_place_is_valid(host: Host) -> None:
    command(host, f"docker exec {CONTAINERS['gateway']} haproxy -c -f /usr/local/etc/haproxy/haproxy.cfg")
