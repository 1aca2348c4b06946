"""Where a router's process may connect to, tested on loopback in a separate process: the guard cannot be undone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from vibe.proxy.egress import Egress
from vibe.proxy.provider_hosts import destinations_of
from vibe.routes.gate_settings import Destination, GateSettings, destination_of, read_settings

FILES = Path(__file__).resolve().parents[2] / "files"
# Two servers: a provider, and another one. Prints the result of each way of connecting as JSON.
PROGRAM = """
import asyncio, http.client, json, socket, sys, urllib.request
sys.path.insert(0, sys.argv[1])
import uvloop
from vibe.routes.gate_settings import Destination
from vibe.proxy.egress import Egress, EgressRefusedError, guard

def listener():
    server = socket.create_server(("127.0.0.1", 0))
    return server, server.getsockname()[1]

(good, good_port), (evil, evil_port) = listener(), listener()
guard(Egress((Destination("localhost", good_port), Destination("127.0.0.1", good_port))))
outcomes = {}

def tried(name, call):
    try:
        call()
        outcomes[name] = "connected"
    except EgressRefusedError:
        outcomes[name] = "refused"
    except Exception as error:
        cause = error.__cause__ or error.__context__
        outcomes[name] = "refused" if isinstance(cause, EgressRefusedError) else repr(error)

async def stream(host, port):
    _, writer = await asyncio.open_connection(host, port)
    writer.close()

async def raw(host, port):
    with socket.socket() as connection:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (host, port))

async def datagram(host, port):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(host, port))
    transport.close()

async def resolved(host):
    await asyncio.get_running_loop().getaddrinfo(host, None)

def udp(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.sendto(b"x", ("127.0.0.1", port))

for kind, port in (("good", good_port), ("evil", evil_port)):
    for runner, run in (("uvloop", uvloop.run), ("asyncio", asyncio.run)):
        tried(f"{kind} {runner} name", lambda: run(stream("localhost", port)))
        tried(f"{kind} {runner} address", lambda: run(stream("127.0.0.1", port)))
        tried(f"{kind} {runner} socket", lambda: run(raw("127.0.0.1", port)))
        tried(f"{kind} {runner} datagram", lambda: run(datagram("127.0.0.1", port)))
    tried(f"{kind} thread", lambda: socket.create_connection(("localhost", port)).close())
    tried(f"{kind} connect", lambda: socket.socket().connect(("127.0.0.1", port)))
    tried(f"{kind} connect by name", lambda: socket.socket().connect(("localhost", port)))
    tried(f"{kind} udp", lambda: udp(port))
for runner, run in (("uvloop", uvloop.run), ("asyncio", asyncio.run)):
    tried(f"evil {runner} resolve", lambda: run(resolved("evil.example")))
tried("evil resolve", lambda: socket.getaddrinfo("evil.example", 80))
tried("evil resolve old", lambda: socket.gethostbyname("evil.example"))
print(json.dumps(outcomes))
"""


def test_only_what_is_allowed_is_resolved_and_connected_to_by_any_way() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(FILES)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    outcomes: dict[str, str] = json.loads(done.stdout)
    wrong = {
        name: outcome
        for name, outcome in outcomes.items()
        if outcome != ("connected" if name.startswith("good") else "refused")
    }
    assert wrong == {}
    assert len(outcomes) == 28
    assert "ATTACK STOPPED gate=egress client=- host=evil.example" in done.stderr


def test_an_address_counts_for_the_name_and_the_port_that_it_was_resolved_for() -> None:
    egress = Egress((Destination("api.example.org", 443),))
    assert not egress.allows_address("192.0.2.7", 443)
    assert egress.resolved("API.example.org.", ["192.0.2.7"]) == ["192.0.2.7"]
    assert egress.allows_address("192.0.2.7", 443)
    assert not egress.allows_address("192.0.2.7", 6379)
    assert not egress.allows_host("evil.example.org", 443)


def test_media_is_fetched_from_public_addresses_alone() -> None:
    egress = Egress((Destination("*.example.org", None, is_public=True),))
    private = ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "192.168.1.1"]
    assert egress.resolved("images.example.org", [*private, "93.184.216.34"]) == ["93.184.216.34"]
    assert not any(egress.allows_address(address, 443) for address in private)
    assert not egress.allows_host("example.org.evil.example", 443)


@pytest.mark.parametrize(
    ("given", "host", "port"),
    [
        ("a.example.org", "a.example.org", None),
        ("A.example.org:8443", "a.example.org", 8443),
        ("*.example.org", "*.example.org", None),
        ("10.0.0.1:80", "10.0.0.1", 80),
        ("[fd00::1]:443", "fd00::1", 443),
    ],
)
def test_a_host_is_read_with_its_port(given: str, host: str, port: int | None) -> None:
    assert destination_of(given) == Destination(host, port)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ([], "gate: must be an object"),
        ({"limit": {}}, "gate.limit: is not known"),
        ({"limits": []}, "gate.limits: must be an object"),
        ({"limits": {"messages": 0}}, "gate.limits.messages: must be a whole number of 1 or more"),
        ({"limits": {"messages": True}}, "gate.limits.messages: must be a whole number"),
        ({"limits": {"message": 5}}, "gate.limits.message: is not known"),
        ({"allowed_hosts": "a"}, "gate.allowed_hosts: must be a list of hosts"),
        ({"media_hosts": ["http://a"]}, "gate.media_hosts: must be a list of hosts"),
        ({"allowed_parameters": [1]}, "gate.allowed_parameters: must be a list of texts"),
    ],
)
def test_settings_that_cannot_be_used_are_named(wrong: object, fault: str) -> None:
    faults: list[str] = []
    read_settings(wrong, faults)
    assert len(faults) == 1
    assert faults[0].startswith(fault)


def _config(**parameters: Any) -> dict[str, Any]:
    return {"model_list": [{"model_name": "pool", "litellm_params": {"model": "openai/m", **parameters}}]}


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (_config(api_base="http://upstream:8080/v1"), {Destination("upstream", 8080)}),
        (_config(api_base="os.environ/BASE"), {Destination("base.example", 443)}),
        (_config(), {Destination("api.openai.com")}),
        (_config(model="mistral/x"), {Destination("known.to.litellm", 443)}),
        (_config(model="bedrock/x", aws_region_name="eu-west-1"), {Destination("*.amazonaws.com")}),
        (
            _config(api_base="https://a/v1")
            | {"general_settings": {"coordination_redis": {"host": "r", "port": 6379}}},
            {Destination("a", 443), Destination("r", 6379)},
        ),
    ],
)
def test_the_providers_and_redis_are_reached(config: dict[str, Any], wanted: set[Destination]) -> None:
    def address_of(model: str) -> str | None:
        return "https://known.to.litellm/v1" if model.startswith("mistral/") else None

    found, faults = destinations_of(config, {"BASE": "https://base.example"}, GateSettings(), address_of)
    assert faults == []
    assert set(found) == wanted


def test_a_proxy_of_the_environment_is_reached_too() -> None:
    environment = {"https_proxy": "http://proxy.example:3128"}
    found, _ = destinations_of(_config(), environment, GateSettings(), lambda _: None)
    assert Destination("proxy.example", 3128) in found


def test_a_provider_without_a_known_address_is_a_fault_that_the_operator_can_mend() -> None:
    config = _config(model="newcomer/x")
    _, faults = destinations_of(config, {}, GateSettings(), lambda _: None)
    assert len(faults) == 1
    assert "newcomer/x" in faults[0]
    assert "Fix: set api_base" in faults[0]
    settings = GateSettings(allowed_hosts=(Destination("api.newcomer.example"),))
    assert destinations_of(config, {}, settings, lambda _: None)[1] == []
