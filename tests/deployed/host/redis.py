"""Redis persists its data, and protects it."""

from __future__ import annotations

from deployed_names import CONTAINERS
from report.model import require

from host.context import HINT_BY_HAND, HINT_DEPLOY, HostContext
from host.registry import check

REDIS = CONTAINERS["redis"]
WITH_PASSWORD = (
    f"docker exec {REDIS} sh -c 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli \"$@\"' redis-cli"
)


@check("redis")
def redis_requires_a_password(host: HostContext) -> None:
    answer = host.command(f"docker exec {REDIS} redis-cli ping").strip()
    require("NOAUTH" in answer, "NOAUTH without a password", answer, HINT_DEPLOY)


@check("redis")
def redis_answers_with_its_password(host: HostContext) -> None:
    answer = host.command(f"{WITH_PASSWORD} ping").strip()
    require(answer == "PONG", "PONG", answer, f"docker logs {REDIS} 2>&1 | tail -20")


@check("redis")
def redis_saves_to_disk(host: HostContext) -> None:
    setting = host.command(f"{WITH_PASSWORD} config get appendonly").split()
    require(setting == ["appendonly", "yes"], "appendonly yes", " ".join(setting), HINT_DEPLOY)


@check("redis")
def redis_has_a_memory_limit(host: HostContext) -> None:
    limit = host.command(f"{WITH_PASSWORD} config get maxmemory").split()[1]
    require(int(limit) > 0, "a maxmemory above 0", limit, "redis_maxmemory")


@check("redis")
def redis_is_published_on_one_address_at_most(host: HostContext) -> None:
    ports = host.container("redis")["HostConfig"]["PortBindings"] or {}
    addresses = {binding["HostIp"] for bindings in ports.values() for binding in bindings}
    everywhere = {"", "0.0.0.0", "::"} & addresses
    found = ", ".join(address or "every address" for address in sorted(everywhere))
    hint = f"redis_publish_address; {HINT_BY_HAND}"
    require(not everywhere, "no published port, or one on a single address", found, hint)
