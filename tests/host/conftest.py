"""Fixtures of the host checks: the roles of this host and what the engine says of their containers."""

import json
from typing import Any

import pytest
from host.on_host import ROLES, command, container_name, serving_container
from testinfra.host import Host


@pytest.fixture(params=[role for role in ("router", "redis", "gateway", "stub_upstream") if role in ROLES])
def role(request: pytest.FixtureRequest) -> str:
    """Each role of this host that runs a container."""
    return str(request.param)


@pytest.fixture
def container(host: Host, role: str) -> dict[str, Any]:
    """What `docker inspect` says of the role's container."""
    inspected: list[dict[str, Any]] = json.loads(command(host, f"docker inspect {container_name(host, role)}"))
    return inspected[0]


@pytest.fixture
def router(host: Host) -> dict[str, Any]:
    """What `docker inspect` says of the serving router slot."""
    if "router" not in ROLES:
        pytest.skip("this host runs no router")
    inspected: list[dict[str, Any]] = json.loads(command(host, f"docker inspect {serving_container(host)}"))
    return inspected[0]
