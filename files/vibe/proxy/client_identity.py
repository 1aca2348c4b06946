"""Who asks, as the gateway reports it: the digest of the client's key maps to a name and to the models it may use.

The gateway alone knows the clients. To a router it shows LiteLLM's own key, and says for whom. While a rollout changes
that key, releases with the old and with the new one serve side by side, so the gateway shows both.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

# The gateway removes what a client itself sent by these names (roles/gateway, haproxy.cfg.j2).
CLIENT_HEADER, MODELS_HEADER, KEYS_HEADER = "x-vibe-client", "x-vibe-client-models", "x-vibe-router-keys"
# Who has LiteLLM's own key: operators, and the verification.
OPERATOR = "default"
# The name where LiteLLM reports none.
UNKNOWN = "-"

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Client:
    """A client: its ``name``, and the ``models`` that it may request; none means all."""

    name: str
    models: tuple[str, ...] = ()

    @property
    def is_operator(self) -> bool:
        """Whether it has LiteLLM's own key."""
        return self.name == OPERATOR


def client_of(headers: Mapping[str, str], key: str, own_key: str) -> Client | None:
    """Return the client that *headers* (names in lower case) name, None if *key* is not *own_key*, LiteLLM's."""
    if not _is_same(key.encode(), own_key.encode()):
        return None
    models = headers.get(MODELS_HEADER, "").split(",")
    return Client(headers.get(CLIENT_HEADER) or OPERATOR, tuple(model for model in models if model))


def with_own_key(headers: Headers, own_key: bytes) -> Headers:
    """Return *headers* (names in lower case) with *own_key* for their key, if the gateway showed it among others.

    The shown keys are removed: LiteLLM passes a request's headers to its loggers, and hides only keys it knows.
    """
    shown = [key for name, value in headers if name == KEYS_HEADER.encode() for key in value.split(b",")]
    if not shown:
        return headers
    kept = [pair for pair in headers if pair[0] != KEYS_HEADER.encode()]
    # All are compared, so that the time reveals nothing.
    found = [_is_same(key, own_key) for key in shown]
    if True not in found:
        return kept
    return [*(pair for pair in kept if pair[0] != b"authorization"), (b"authorization", b"Bearer " + own_key)]


class OneKey:
    """An ASGI layer: the *app* behind it sees one key of the gateway's, its own."""

    def __init__(self, app: Callable[..., Awaitable[None]], own_key: str) -> None:
        """Wrap *app*, which knows only this key."""
        self._app, self._own_key = app, own_key.encode()

    async def __call__(self, scope: MutableMapping[str, Any], receive: object, send: object) -> None:
        """Pass a request on."""
        if "headers" in scope:
            scope["headers"] = with_own_key(list(scope["headers"]), self._own_key)
        await self._app(scope, receive, send)


def name_of(alias: object) -> str:
    """Return the name of a client that LiteLLM knows by *alias*, or UNKNOWN."""
    return alias if isinstance(alias, str) and alias else UNKNOWN


def asker_of(logged: Mapping[str, object]) -> object:
    """Return the client's alias, from the record that LiteLLM's loggers get (``standard_logging_object``)."""
    metadata = logged.get("metadata")
    return metadata.get("user_api_key_alias") if isinstance(metadata, Mapping) else None


def _is_same(key: bytes, own_key: bytes) -> bool:
    return hmac.compare_digest(key, own_key)
