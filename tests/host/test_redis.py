"""Redis keeps what it is given, and to itself."""

import json

import pytest
from host.on_host import CONTAINERS, ROLES, command
from testinfra.host import Host

pytestmark = pytest.mark.skipif("redis" not in ROLES, reason="this host runs no Redis")
REDIS = CONTAINERS["redis"]
WITH_PASSWORD = (
    f"docker exec {REDIS} sh -c 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli \"$@\"' redis-cli"
)


def test_redis_demands_its_password(host: Host) -> None:
    assert "NOAUTH" in command(host, f"docker exec {REDIS} redis-cli ping")


def test_redis_answers_with_its_password(host: Host) -> None:
    assert command(host, f"{WITH_PASSWORD} ping").strip() == "PONG"


def test_redis_writes_what_it_is_given(host: Host) -> None:
    assert command(host, f"{WITH_PASSWORD} config get appendonly").split() == ["appendonly", "yes"]


def test_redis_has_a_memory_limit(host: Host) -> None:
    assert int(command(host, f"{WITH_PASSWORD} config get maxmemory").split()[1]) > 0


def test_redis_is_published_nowhere_or_on_one_address(host: Host) -> None:
    ports = json.loads(command(host, f"docker inspect --format '{{{{json .HostConfig.PortBindings}}}}' {REDIS}")) or {}
    addresses = [binding["HostIp"] for bindings in ports.values() for binding in bindings]
    assert not {"", "0.0.0.0", "::"} & set(addresses), "Redis listens on every address; see redis_publish_address"
