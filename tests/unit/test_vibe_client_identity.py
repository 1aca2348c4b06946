"""The client's identity comes from the gateway, with either master key during a rotation, and never from the client."""

import asyncio
from typing import Any

import pytest
from vibe.proxy.client_identity import OPERATOR, UNKNOWN, Client, OneKey, asker_of, client_of, name_of

OWN = "sk-own-key-of-this-release"
OTHER = "sk-own-key-of-the-other-one"


def _seen(headers: list[tuple[bytes, bytes]], kind: str = "http") -> list[tuple[bytes, bytes]]:
    """Return the headers that the application behind the layer sees."""
    seen: list[tuple[bytes, bytes]] = []

    async def app(scope: dict[str, Any], _receive: object, _send: object) -> None:
        seen.extend(scope["headers"])

    asyncio.run(OneKey(app, OWN)({"type": kind, "headers": headers}, None, None))
    return seen


def test_the_key_alone_is_the_operators() -> None:
    client = client_of({}, OWN, OWN)
    assert client == Client(OPERATOR)
    assert client.is_operator


def test_the_gateway_says_for_whom_and_for_which_models() -> None:
    headers = {"x-vibe-client": "team-a", "x-vibe-client-models": "chat-auto,claude-auto"}
    client = client_of(headers, OWN, OWN)
    assert client == Client("team-a", ("chat-auto", "claude-auto"))
    assert not client.is_operator


@pytest.mark.parametrize("key", ["", OTHER, OWN[:-1], f"{OWN},{OTHER}", "schlüssel"])
def test_without_the_own_key_nobody_is_known(key: str) -> None:
    assert client_of({"x-vibe-client": "team-a"}, key, OWN) is None


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("keys", [f"{OTHER},{OWN}", f"{OWN},{OTHER}", OWN])
def test_of_the_keys_that_the_gateway_shows_the_release_sees_its_own_alone(keys: str, kind: str) -> None:
    host, key = (b"host", b"gateway"), (b"authorization", f"Bearer {OTHER}".encode())
    seen = _seen([host, key, (b"x-vibe-router-keys", keys.encode())], kind)
    assert seen == [host, (b"authorization", f"Bearer {OWN}".encode())]


@pytest.mark.parametrize("keys", ["", ",", OTHER, f"{OTHER},{OWN[:-1]}", f"{OWN} {OTHER}"])
def test_keys_of_others_are_taken_out_and_make_nobody_known(keys: str) -> None:
    key = (b"authorization", b"Bearer guessed")
    assert _seen([key, (b"x-vibe-router-keys", keys.encode())]) == [key]


def test_without_the_gateway_the_key_is_what_the_client_sent() -> None:
    headers = [(b"authorization", b"Bearer guessed"), (b"host", b"router")]
    assert _seen(headers) == headers


def test_what_has_no_headers_passes() -> None:
    passed: list[object] = []

    async def app(scope: dict[str, Any], _receive: object, _send: object) -> None:
        passed.append(scope["type"])

    asyncio.run(OneKey(app, OWN)({"type": "lifespan"}, None, None))
    assert passed == ["lifespan"]


def test_a_name_is_litellms_or_unknown() -> None:
    assert name_of(asker_of({"metadata": {"user_api_key_alias": "team-a"}})) == "team-a"
    assert name_of(asker_of({"metadata": {"user_api_key_alias": None}})) == UNKNOWN
    assert name_of(asker_of({})) == UNKNOWN
