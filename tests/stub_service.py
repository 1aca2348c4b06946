"""The built-in upstream as a process of a test."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import requests

FILES = Path(__file__).resolve().parents[1] / "files"


class Client:
    """Requests to one stub."""

    def __init__(self, url: str) -> None:
        """Ask the stub at *url*."""
        self.url = url

    def post(self, path: str, **options: Any) -> requests.Response:
        """Send a POST."""
        return requests.post(self.url + path, timeout=10, **options)

    def get(self, path: str) -> requests.Response:
        """Send a GET."""
        return requests.get(self.url + path, timeout=10)


@contextmanager
def running_stub() -> Iterator[tuple[Client, list[str]]]:
    """Run a stub as its container does, from another directory; its log is in the list once it has ended."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-B", str(FILES / "stub_upstream.py"), "--port", str(port)]
    command += ["--models", "gpt-mini,gpt-standard"]
    log: list[str] = []
    # A file: a pipe that nobody reads is full after some hundred requests.
    with TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(command, cwd="/", stderr=said)
        try:
            client = Client(f"http://127.0.0.1:{port}")
            _wait_until_healthy(client)
            yield client, log
        finally:
            process.terminate()
            process.wait(timeout=20)
            said.seek(0)
            log += said.read().splitlines()


def _wait_until_healthy(client: Client) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            if client.get("/healthz").ok:
                return
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
