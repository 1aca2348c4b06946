"""Only the gateway tells the router who a client is: a client's own headers about that are removed.

The test reads the gateway's requests to the slot from this machine's loopback.
"""

from __future__ import annotations

import json
import re
import select
import socket
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
import requests
from e2e.machine import run

ETH_P_IP, TCP, HEADERS_OF_LOOPBACK = 0x0800, 6, 14
SLOT_PORTS = {4101, 4102}
SAYS = {"X-Forwarded-For": "203.0.113.9", "x-vibe-client": "somebody-else"}
GATEWAY = ("./deploy.sh", "--tags", "gateway")
SECONDS = 5.0


def _payload(frame: bytes) -> bytes:
    """Return the bytes of a frame to a slot; b"" for other frames."""
    packet = frame[HEADERS_OF_LOOPBACK:]
    start = (packet[0] & 15) * 4
    if packet[9] != TCP or int.from_bytes(packet[start + 2 : start + 4], "big") not in SLOT_PORTS:
        return b""
    return packet[start + (packet[start + 12] >> 4) * 4 : int.from_bytes(packet[2:4], "big")]


def _sent_to_the_slot(settings: dict[str, str], said: dict[str, str]) -> str:
    """Send a request with a client's *said* headers, and return it as the gateway forwarded it."""
    mark = uuid4().hex
    headers = {"authorization": f"Bearer {settings['OPENAI_API_KEY']}", "x-request-id": mark, **said}
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP)) as wire:
        wire.bind(("lo", 0))
        answer = requests.get(f"{settings['OPENAI_BASE_URL']}/models", headers=headers, timeout=30)
        assert answer.status_code == 200
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and select.select([wire], [], [], 0.5)[0]:
            text = _payload(wire.recv(65535)).decode("latin-1")
            if mark in text and text.startswith("GET /v1/models"):
                return text.lower()
    pytest.fail("nothing was seen on the way to the slot")


def _values(request: str, header: str) -> list[str]:
    return re.findall(rf"^{header}: (.*?)\r$", request, re.MULTILINE)


def test_what_a_client_says_of_itself_is_taken_out(deployed: dict[str, str]) -> None:
    request = _sent_to_the_slot(deployed, SAYS)
    assert _values(request, "x-forwarded-for") == ["127.0.0.1"]
    assert "203.0.113.9" not in request
    assert "somebody-else" not in request


@pytest.fixture
def behind_a_proxy(deployed: dict[str, str]) -> Iterator[None]:
    """A gateway that trusts this machine as a proxy in front of it."""
    run(*GATEWAY, "-e", json.dumps({"gateway_trusted_proxies": ["127.0.0.0/8"]}))
    yield
    run(*GATEWAY)


@pytest.mark.usefixtures("behind_a_proxy")
def test_what_a_trusted_proxy_says_of_its_client_is_kept(deployed: dict[str, str]) -> None:
    request = _sent_to_the_slot(deployed, SAYS)
    assert "203.0.113.9" in ", ".join(_values(request, "x-forwarded-for"))
    assert "somebody-else" not in request
