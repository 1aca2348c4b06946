"""What a client sees of the gateway: its name, its port, its certificate and its answers."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0


@dataclass
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""


class Client:
    """A client with an address of the gateway and a key."""

    def __init__(self, url: str, key: str, ca_file: str | None = None) -> None:
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self.secure = parts.scheme == "https"
        self.name = parts.hostname or ""
        self.port = parts.port or (443 if self.secure else 80)
        self._key, self._ca_file = key, ca_file

    def resolve(self) -> None:
        """Look the name up; OSError if it has no address."""
        socket.getaddrinfo(self.name, self.port, type=socket.SOCK_STREAM)

    def connect(self) -> None:
        """Connect to the port; OSError if that fails."""
        socket.create_connection((self.name, self.port), CONNECT_SECONDS).close()

    def shake_hands(self) -> None:
        """Make a TLS connection as a client does, with its certificate checked; OSError if that fails."""
        context = ssl.create_default_context(cafile=self._ca_file)
        address = (self.name, self.port)
        with (
            socket.create_connection(address, CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=self.name),
        ):
            pass

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, seconds: float = ANSWER_SECONDS
    ) -> Answer:
        """Send a request with the key, and wait for its answer.

        Raises:
            OSError: there was no complete answer (requests' errors are OSErrors).
        """
        headers = {"authorization": f"Bearer {self._key}"}
        answer = requests.request(
            method, f"{self.url}{path}", json=body, headers=headers, timeout=seconds, verify=self._ca_file or True
        )
        return Answer(answer.status_code, {name.lower(): text for name, text in answer.headers.items()}, answer.text)

    def chat(self, model: str, prompt: str, **more: Any) -> Answer:
        """Send one short chat request."""
        body = {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": 16, **more}
        return self.ask("POST", "/v1/chat/completions", body)
