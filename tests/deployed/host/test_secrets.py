"""No secret is readable where it should not be."""

import json
from typing import Any

import pytest
from deployed_names import BASE_DIR, ROUTER_DIR
from host.on_host import HINT_DEPLOY, NOT_HERE, ROLES, command, container_name
from report.model import require
from testinfra.host import Host

MINIMUM_SECRET_LENGTH = 16
HINT_SECRET = "secrets belong into secrets.json alone; whoever could read this may have it: give it a new value"


@pytest.fixture
def secrets(host: Host) -> dict[str, str]:
    """The release's secrets that are long enough to be searched."""
    if "router" not in ROLES:
        pytest.skip(f"{NOT_HERE} router")
    content = command(host, f"cat {ROUTER_DIR}/current/secrets.json")
    return {name: value for name, value in json.loads(content).items() if len(value) >= MINIMUM_SECRET_LENGTH}


def _require_none_in(secrets: dict[str, str], text: str, where: str) -> None:
    """Require that no secret's value is in *text*; names are shown, never values."""
    names = ", ".join(name for name, value in secrets.items() if value in text)
    require(not names, f"no secret in {where}", f"the value of {names}", HINT_SECRET)


def test_containers_show_no_secret(host: Host, role: str, secrets: dict[str, str]) -> None:
    name = container_name(host, role)
    _require_none_in(secrets, command(host, f"docker inspect {name}"), f"docker inspect {name}")


def test_logs_show_no_secret(host: Host, role: str, secrets: dict[str, str]) -> None:
    name = container_name(host, role)
    _require_none_in(secrets, command(host, f"docker logs {name} 2>&1"), f"docker logs {name}")


def test_process_list_shows_no_secret(host: Host, secrets: dict[str, str]) -> None:
    # Not ps: a minimal host has none.
    processes = command(host, "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")
    require("dockerd" in processes, "the engine among the processes", "none", "run the checks as root")
    _require_none_in(secrets, processes, "the process list")


def test_secrets_of_the_router_belong_to_its_user_alone(host: Host, router: dict[str, Any]) -> None:
    file = host.file(f"{ROUTER_DIR}/current/secrets.json")
    uid = router["Config"]["User"].split(":")[0] or "0"
    found = f"mode {file.mode:04o} of user {file.uid}"
    require(found == f"mode 0400 of user {uid}", f"mode 0400 of user {uid} on secrets.json", found, HINT_DEPLOY)


@pytest.mark.skipif("redis" not in ROLES, reason=f"{NOT_HERE} Redis")
@pytest.mark.parametrize("name", ["redis.conf", "password"])
def test_password_of_redis_belongs_to_its_user_alone(host: Host, name: str) -> None:
    mode = f"{host.file(f'{BASE_DIR}/redis/{name}').mode:04o}"
    require(mode == "0400", f"mode 0400 on redis/{name}", mode, HINT_DEPLOY)
