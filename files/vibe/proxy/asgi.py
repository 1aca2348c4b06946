"""The types of an ASGI application (asgi.readthedocs.io, Specifications), as far as the layers here use them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Headers that describe a body: they go when the body is another one.
BODY_HEADERS = frozenset((b"content-type", b"content-length", b"content-encoding", b"transfer-encoding"))


def described(body: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers that describe a JSON *body*."""
    return [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
