"""The gate on the way in: an ASGI layer that reads a request's body once, rebuilds it, and hands that to LiteLLM.

What LiteLLM sees of a client is what ``request_check`` made. It is given parsed, in the place where LiteLLM keeps a
body that it has read (``scope["parsed_body"]``, http_parsing_utils.py in 1.106.2), and as bytes for whoever reads it
again: both are the rebuilt one, so a LiteLLM that looks elsewhere sees no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

import orjson  # part of the LiteLLM image

from vibe.feedback.feedback import PATH as FEEDBACK_PATH
from vibe.proxy.api_fields import (
    MODEL,
    RESPONSES,
    api_of,
    is_anthropic,
    is_stored_response,
    model_named_in,
    query_names,
)
from vibe.proxy.asgi import BODY_HEADERS, App, Message, Receive, Scope, Send, described
from vibe.proxy.body_encoding import unpacked
from vibe.proxy.client_identity import CLIENT_HEADER, MODELS_HEADER, Client, client_of
from vibe.proxy.model_by_name import answer_model
from vibe.proxy.passage import Passage, passing
from vibe.proxy.refusal import RefusedError, error_body
from vibe.proxy.request_check import MODEL_NOT_FOUND, TOO_LARGE, Policy, rebuilt
from vibe.proxy.size import has_too_many_brackets
from vibe.proxy.stopped import note_refused
from vibe.proxy.unknown_model import HEADER as UNKNOWN_MODEL_HEADER
from vibe.proxy.upstream_answer import with_upstreams_words

_WITHOUT_BODY = frozenset(("GET", "HEAD", "OPTIONS", "DELETE"))
_BEARER = "bearer "
ANTHROPIC_VERSION = "anthropic-version"
_READ_HEADERS = frozenset(
    name.encode()
    for name in (
        *("authorization", "x-api-key", "content-encoding", "content-length"),
        *(CLIENT_HEADER, MODELS_HEADER, ANTHROPIC_VERSION),
    )
)
# What HAProxy's buffer holds, less what it keeps free (tune.bufsize, tune.maxrewrite).
_SMALL_BODY = 8192
_PARSED_BODY = "parsed_body"
_EVENT_TYPE, _EVENT_RESPONSE, _CREATE = "type", "response", "response.create"
_POLICY_VIOLATION, _TIMEOUT = 1008, 408
# The client of a request whose key is unknown.
NOBODY = "-"


class RequestGate:
    """The layer in front of the *app*; *groups_of* tells which model groups a request for some models may reach."""

    def __init__(
        self,
        app: App,
        own_key: str,
        policy: Policy,
        groups_of: Callable[[tuple[str, ...]], frozenset[str]],
        unchecked_paths: frozenset[str] = frozenset(),
    ) -> None:
        """Take the *own_key* that the gateway shows, the *policy*, and paths that are handed on as they are."""
        self._app = app
        self._own_key = own_key
        self._policy = policy
        self._groups_of = groups_of
        self._unchecked_paths = unchecked_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer with the reason for refusing it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        # Backwards: of two of a name the first counts, which is the gateway's.
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in reversed(scope["headers"])
            if name in _READ_HEADERS
        }
        client = client_of(headers, _key_of(headers), self._own_key)
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send, client)
            return
        try:
            scope, receive, passage = await self._passed(scope, receive, headers, client)
            with passing(passage):
                await self._answered(scope, receive, send, passage, headers)
        except RefusedError as error:
            note_refused(client.name if client else NOBODY, error.status, error.param)
            await _answer(send, error, is_anthropic=is_anthropic(scope["path"], headers.get(ANTHROPIC_VERSION, "")))
        except _GoneError:
            return

    async def _answered(
        self, scope: Scope, receive: Receive, send: Send, passage: Passage, headers: dict[str, str]
    ) -> None:
        """Have the application answer the request."""
        name = model_named_in(scope["path"]) if scope["method"] == "GET" else None
        if name is None or passage.client == NOBODY:
            await self._app(
                scope, receive, with_upstreams_words(send, passage, is_anthropic=is_anthropic(scope["path"]))
            )
        else:
            await answer_model(self._app, scope, receive, send, name)

    async def _passed(
        self, scope: Scope, receive: Receive, headers: dict[str, str], client: Client | None
    ) -> tuple[Scope, Receive, Passage]:
        """Return the request as the application sees it, and what it may do."""
        path = scope["path"]
        if client is None:
            # LiteLLM answers 401, or serves a public path; nothing that a stranger sends is read.
            return *_without_body(scope, receive), Passage(NOBODY, frozenset())
        if path in self._unchecked_paths:
            return scope, receive, self._passage(client)
        api = api_of(path)
        if scope["method"] in _WITHOUT_BODY or (is_stored_response(path) and scope["method"] == "POST"):
            return *_without_body(scope, receive), self._passage(client)
        if path == FEEDBACK_PATH:
            # Read strictly by its own handler; for LiteLLM's checks of a key it is empty.
            scope[_PARSED_BODY] = ((), {})
            return scope, receive, self._passage(client)
        if api is None:
            raise RefusedError("This path is not served.", status=404, code="unknown_url")
        body = rebuilt(await self._document(receive, headers), api, self._policy, client.models)
        return *_with_body(scope, receive, body), self._passage(client, str(body[MODEL]))

    async def _document(self, receive: Receive, headers: dict[str, str]) -> object:
        seconds = self._policy.limits.body_seconds
        try:
            # The gateway has already waited for a small body, and a timer costs more than all the work on it here.
            body = await (_read(receive) if _is_small(headers) else asyncio.wait_for(_read(receive), seconds))
        except TimeoutError:
            raise RefusedError(
                f"The request body took longer than {seconds} s to arrive (router_limits.body_seconds). "
                "Fix: send it again.",
                status=408,
            ) from None
        body = unpacked(body, headers.get("content-encoding", ""), self._policy.limits.unpacked_bytes)
        if has_too_many_brackets(body, self._policy.limits):
            raise RefusedError(
                "The request body is too large: it has too many values (router_limits.nodes). Fix: send less.",
                status=413,
                code=TOO_LARGE,
            )
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise RefusedError(f"The request body is not valid JSON: {error}. Fix: send one JSON object.") from None

    def _passage(self, client: Client, model: str | None = None) -> Passage:
        # Without a model in its body, the request is about an earlier one: anything that the client may request.
        asked = client.models if model is None else (model,)
        return Passage(client.name, self._groups_of(asked))

    async def _websocket(self, scope: Scope, receive: Receive, send: Send, client: Client | None) -> None:
        """Pass a WebSocket on, with each frame rebuilt as a body is; the first refused frame ends it."""
        path = scope["path"]
        if client is None or path in self._unchecked_paths:
            # LiteLLM refuses a stranger before it reads a frame.
            await self._app(scope if client else {**scope, "query_string": b""}, receive, send)
            return
        if api_of(path) is not RESPONSES:
            # Before it is accepted: the client gets a 403.
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        passage = Passage(client.name, self._groups_of(client.models))

        async def checked() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            try:
                return {"type": "websocket.receive", "text": self._frame(message.get("text"), client)}
            except RefusedError as error:
                note_refused(client.name, error.status, error.param)
                text = orjson.dumps({"type": "error", "status": error.status, **orjson.loads(_openai(error))}).decode()
                await send({"type": "websocket.send", "text": text})
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}

        with passing(passage):
            await self._app(_query_of(scope, frozenset((MODEL,))), checked, send)

    def _frame(self, text: object, client: Client) -> str:
        """Return a frame with its request rebuilt: the fields beside its type, or in its ``response`` object."""
        try:
            event = orjson.loads(text) if isinstance(text, str) else None
        except orjson.JSONDecodeError as error:
            raise RefusedError(f"The message is not valid JSON: {error}. Fix: send one JSON object.") from None
        if not isinstance(event, dict) or event.get(_EVENT_TYPE) != _CREATE:
            raise RefusedError(f"The message must be an event of type {_CREATE}. Fix: send such an event.")
        inner = event.get(_EVENT_RESPONSE)
        fields = inner if isinstance(inner, dict) else {key: event[key] for key in event if key != _EVENT_TYPE}
        kept = rebuilt(fields, RESPONSES, self._policy, client.models)
        frame = {_EVENT_RESPONSE: kept} if isinstance(inner, dict) else kept
        return orjson.dumps({_EVENT_TYPE: _CREATE, **frame}).decode()


class _GoneError(Exception):
    """The client left before its body was whole."""


async def _read(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _with_body(scope: Scope, receive: Receive, body: dict[str, object]) -> tuple[Scope, Receive]:
    """Return a request with *body* as its body, and without a query: all that a client sends is in the body."""
    content = orjson.dumps(body)
    kept = [pair for pair in scope["headers"] if pair[0] not in BODY_HEADERS]
    changed = {
        **scope,
        "headers": [*kept, *described(content)],
        "query_string": b"",
        _PARSED_BODY: (tuple(body), body),
    }
    return changed, _receiving(content, receive)


def _receiving(body: bytes, receive: Receive) -> Receive:
    """Return a receive function that yields *body*, and then only whether the client has left."""
    is_given = False

    async def give() -> Message:
        nonlocal is_given
        if not is_given:
            is_given = True
            return {"type": "http.request", "body": body, "more_body": False}
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return message

    return give


def _without_body(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    """Return a request without a body, with the allowed part of its query."""

    kept = [pair for pair in scope["headers"] if pair[0] not in BODY_HEADERS]
    changed = {**_query_of(scope, query_names(scope["path"])), "headers": kept, _PARSED_BODY: ((), {})}
    return changed, _receiving(b"", receive)


def _query_of(scope: Scope, names: frozenset[str]) -> Scope:
    query = scope.get("query_string", b"")
    if not query:
        return scope
    kept = [(name, value) for name, value in parse_qsl(query.decode("latin-1")) if name in names]
    return {**scope, "query_string": urlencode(kept).encode()}


def _is_small(headers: dict[str, str]) -> bool:
    declared = headers.get("content-length", "")
    return declared.isdigit() and int(declared) <= _SMALL_BODY


def _key_of(headers: dict[str, str]) -> str:
    shown = headers.get("authorization", "")
    return shown[len(_BEARER) :] if shown.lower().startswith(_BEARER) else headers.get("x-api-key", "")


def _openai(error: RefusedError) -> bytes:
    return error_body(error, is_anthropic=False)


async def _answer(send: Send, error: RefusedError, *, is_anthropic: bool) -> None:
    body = error_body(error, is_anthropic=is_anthropic)
    headers = [
        *described(body),
        # A retry would be refused again, and some clients retry for minutes (Claude Code 2.1.197).
        (b"x-should-retry", b"true" if error.status == _TIMEOUT else b"false"),
    ]
    if error.code == MODEL_NOT_FOUND:
        headers.append((UNKNOWN_MODEL_HEADER.encode(), error.message.split("`")[1].encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
