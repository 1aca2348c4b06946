"""The gateway sends requests to the serving slot of every router."""

import csv
import io

import pytest
from host.on_host import BASE_DIR, CONTAINERS, ROLES, command
from testinfra.host import Host

pytestmark = pytest.mark.skipif("gateway" not in ROLES, reason="this host runs no gateway")
READ_SOCKET = (
    'python3 -c \'import socket; s=socket.socket(socket.AF_UNIX); s.connect("{path}"); s.sendall(b"show stat\\n");'
    ' print(b"".join(iter(lambda: s.recv(65536), b"")).decode())\''
)


def test_every_router_host_has_one_slot_in_service(host: Host) -> None:
    table = command(host, READ_SOCKET.format(path=f"{BASE_DIR}/gateway/run/admin.sock")).lstrip("# ")
    backend = [row for row in csv.DictReader(io.StringIO(table)) if row["pxname"] == "routers"]
    servers = [row for row in backend if row["svname"] != "BACKEND"]
    assert servers, "the gateway knows no router slot; see gateway_servers"
    hosts = {row["svname"].rsplit("-", 1)[0] for row in servers}
    # "UP 2/3" has missed a health check, and is in service all the same.
    hosts_up = {row["svname"].rsplit("-", 1)[0] for row in servers if row["status"].startswith("UP")}
    assert hosts_up == hosts, [f"{row['svname']} {row['status']}" for row in servers]


def test_runtime_socket_is_for_the_gateway_alone(host: Host) -> None:
    assert oct(host.file(f"{BASE_DIR}/gateway/run").mode) == "0o700"


def test_configuration_in_place_is_valid(host: Host) -> None:
    command(host, f"docker exec {CONTAINERS['gateway']} haproxy -c -f /usr/local/etc/haproxy/haproxy.cfg")
