"""Redis persists its data, and protects it."""

import json

import pytest
from deployed_names import CONTAINERS
from host.on_host import HINT_BY_HAND, HINT_DEPLOY, NOT_HERE, ROLES, command
from report.model import require
from testinfra.host import Host

pytestmark = pytest.mark.skipif("redis" not in ROLES, reason=f"{NOT_HERE} Redis")
REDIS = CONTAINERS["redis"]
WITH_PASSWORD = (
    f"docker exec {REDIS} sh -c 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli \"$@\"' redis-cli"
)


def test_redis_demands_its_password(host: Host) -> None:
    answer = command(host, f"docker exec {REDIS} redis-cli ping").strip()
    require("NOAUTH" in answer, "NOAUTH without a password", answer, HINT_DEPLOY)


def test_redis_answers_with_its_password(host: Host) -> None:
    answer = command(host, f"{WITH_PASSWORD} ping").strip()
    require(answer == "PONG", "PONG", answer, f"docker logs {REDIS} 2>&1 | tail -20")


def test_redis_writes_what_it_is_given(host: Host) -> None:
    setting = command(host, f"{WITH_PASSWORD} config get appendonly").split()
    require(setting == ["appendonly", "yes"], "appendonly yes", " ".join(setting), HINT_DEPLOY)


def test_redis_has_a_memory_limit(host: Host) -> None:
    limit = command(host, f"{WITH_PASSWORD} config get maxmemory").split()[1]
    require(int(limit) > 0, "a maxmemory above 0", limit, "redis_maxmemory")


def test_redis_is_published_nowhere_or_on_one_address(host: Host) -> None:
    ports = json.loads(command(host, f"docker inspect --format '{{{{json .HostConfig.PortBindings}}}}' {REDIS}")) or {}
    addresses = {binding["HostIp"] for bindings in ports.values() for binding in bindings}
    everywhere = {"", "0.0.0.0", "::"} & addresses
    found = ", ".join(address or "every address" for address in sorted(everywhere))
    hint = f"redis_publish_address; {HINT_BY_HAND}"
    require(not everywhere, "no published port, or one on a single address", found, hint)
