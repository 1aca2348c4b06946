"""No secret is where somebody could read it."""

import json
from typing import Any

import pytest
from host.on_host import BASE_DIR, ROLES, ROUTER_DIR, command, container_name
from testinfra.host import Host

MINIMUM_SECRET_LENGTH = 16


@pytest.fixture
def secrets(host: Host) -> dict[str, str]:
    """The release's secrets that are long enough to be looked for."""
    if "router" not in ROLES:
        pytest.skip("this host runs no router")
    content = command(host, f"cat {ROUTER_DIR}/current/secrets.json")
    return {name: value for name, value in json.loads(content).items() if len(value) >= MINIMUM_SECRET_LENGTH}


def _names_found(secrets: dict[str, str], text: str) -> list[str]:
    """Names of the secrets whose value stands in *text*; never the values."""
    return [name for name, value in secrets.items() if value in text]


def test_containers_show_no_secret(host: Host, role: str, secrets: dict[str, str]) -> None:
    assert _names_found(secrets, command(host, f"docker inspect {container_name(host, role)}")) == []


def test_logs_show_no_secret(host: Host, role: str, secrets: dict[str, str]) -> None:
    assert _names_found(secrets, command(host, f"docker logs {container_name(host, role)} 2>&1")) == []


def test_process_list_shows_no_secret(host: Host, secrets: dict[str, str]) -> None:
    # Not ps: a minimal host has none.
    processes = command(host, "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")
    assert "dockerd" in processes
    assert _names_found(secrets, processes) == []


def test_secrets_of_the_router_belong_to_its_user_alone(host: Host, router: dict[str, Any]) -> None:
    file = host.file(f"{ROUTER_DIR}/current/secrets.json")
    assert oct(file.mode) == "0o400"
    assert file.uid == int(router["Config"]["User"].split(":")[0])


@pytest.mark.skipif("redis" not in ROLES, reason="this host runs no Redis")
@pytest.mark.parametrize("name", ["redis.conf", "password"])
def test_password_of_redis_belongs_to_its_user_alone(host: Host, name: str) -> None:
    assert oct(host.file(f"{BASE_DIR}/redis/{name}").mode) == "0o400"
