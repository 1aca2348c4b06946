"""Fixtures of the host checks: the roles of this host and what the engine says of their containers."""

import os
from typing import Any

import pytest
from host.on_host import ROLES, container_name, inspect, serving_container
from testinfra.host import Host

# Options of ssh that the inventory has for the host, for example its known_hosts file or a jump host.
SSH_ARGS = os.environ.get("VIBE_HOST_SSH_ARGS", "")

_NOTES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="module")
def host(_testinfra_host: Host) -> Host:
    """The host, reached with the inventory's options of ssh, which testinfra does not hand on to its hosts."""
    if SSH_ARGS and hasattr(_testinfra_host.backend, "ssh_extra_args"):
        _testinfra_host.backend.ssh_extra_args = SSH_ARGS
    return _testinfra_host


@pytest.fixture(params=[role for role in ("router", "redis", "gateway", "stub_upstream") if role in ROLES])
def role(request: pytest.FixtureRequest) -> str:
    """Each role of this host that runs a container."""
    return str(request.param)


@pytest.fixture
def notes(request: pytest.FixtureRequest) -> list[str]:
    """What is worth saying although it is no fault; each line is told once, at the end."""
    return request.config.stash.setdefault(_NOTES, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell the notes, one a line, as the verification role reads them."""
    for note in config.stash.get(_NOTES, []):
        terminalreporter.write_line(f"NOTE {note}")


@pytest.fixture
def container(host: Host, role: str) -> dict[str, Any]:
    """What `docker inspect` says of the role's container."""
    return inspect(host, container_name(host, role))


@pytest.fixture
def router(host: Host) -> dict[str, Any]:
    """What `docker inspect` says of the serving router slot."""
    if "router" not in ROLES:
        pytest.skip("this host runs no router")
    return inspect(host, serving_container(host))
