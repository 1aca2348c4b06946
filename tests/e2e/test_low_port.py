"""The gateway uses a port below 1024 without root; afterwards the kernel reserves such ports for root again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.machine import run

LOWEST = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
KEPT = Path("/etc/sysctl.d/60-litellm-vibe-router-gateway.conf")
PORT = 943
GATEWAY = ("./deploy.sh", "--tags", "gateway")

pytestmark = pytest.mark.slow


@pytest.fixture
def on_low_port(deployed: dict[str, str]) -> Iterator[None]:
    """The gateway on a low port; afterwards on its usual one."""
    assert LOWEST.read_text(encoding="ascii").strip() == "1024"
    variables = {"gateway_port": PORT, "verification_url": f"http://127.0.0.1:{PORT}"}
    run(*GATEWAY, "-e", json.dumps(variables))
    yield
    run(*GATEWAY)
    assert LOWEST.read_text(encoding="ascii").strip() == "1024"
    assert not KEPT.exists()


@pytest.mark.usefixtures("on_low_port")
def test_a_low_port_serves_and_no_lower_one_is_opened() -> None:
    assert f"127.0.0.1:{PORT} " in run("ss", "-ltn").stdout
    assert run("docker", "top", "vibe-gateway", "-o", "pid,uid").stdout.split()[3] == "10003"
    assert LOWEST.read_text(encoding="ascii").strip() == str(PORT)
    assert str(PORT) in KEPT.read_text(encoding="utf-8")


@pytest.mark.usefixtures("on_low_port")
def test_what_the_host_lets_everybody_have_already_is_not_taken_back() -> None:
    LOWEST.write_text("80", encoding="ascii")
    try:
        run(*GATEWAY, "-e", json.dumps({"gateway_port": PORT, "gateway_queue_timeout": 31}))
        assert LOWEST.read_text(encoding="ascii").strip() == "80"
    finally:
        LOWEST.write_text(str(PORT), encoding="ascii")
