"""The incoming gate: a client's request reaches LiteLLM rebuilt, or not at all."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from anthropic.types.beta import message_create_params as messages_api
from openai.types import completion_create_params as completions_api
from openai.types import embedding_create_params as embeddings_api
from openai.types.chat import completion_create_params as chat_api
from openai.types.responses import response_create_params as responses_api
from vibe.proxy import api_fields
from vibe.proxy.asgi import App, Message
from vibe.proxy.litellm_names import LiteLLMNames, UnknownLiteLLMError, names_in
from vibe.proxy.passage import current_passage
from vibe.proxy.request_check import Policy
from vibe.proxy.request_gate import RequestGate
from vibe.proxy.upstream_failure import UpstreamFailure
from vibe.routes.gate_settings import DEFAULT_LIMITS, LIMIT_NAMES, Limits

OWN_KEY = "sk-own-key-of-this-release"
VERSION = {"anthropic-version": "2023-06-01"}
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
COMPLETIONS, EMBEDDINGS = "/v1/completions", "/v1/embeddings"
MODELS = frozenset({"chat-auto", "codex-auto", "pool-chat-mini"})
CONTROLS = frozenset({"fallbacks", "headers", "api_key", "deployment_id", "callbacks", "mock_response"})
KNOWN = CONTROLS | {"passthrough_on_no_deployment", "router_settings_override", "top_k", "environment"}
NAMES = LiteLLMNames(KNOWN, CONTROLS, frozenset({"model_group", "guardrails"}))
LIMITS = Limits(messages=20, items=25, parts=30, tools=10, names=5, name_chars=64, nodes=500, depth=12, body_seconds=1)
POLICY = Policy(MODELS, NAMES, frozenset({"environment"}), LIMITS)
USER = [{"role": "user", "content": "hi"}]
GOOD: dict[str, dict[str, Any]] = {
    CHAT: {"model": "chat-auto", "messages": USER},
    RESPONSES: {"model": "chat-auto", "input": "hi"},
    MESSAGES: {"model": "chat-auto", "max_tokens": 5, "messages": USER},
    COMPLETIONS: {"model": "chat-auto", "prompt": "hi"},
    EMBEDDINGS: {"model": "chat-auto", "input": ["hi"]},
}


class Proxy:
    """The application behind the gate: records requests and answers 200."""

    def __init__(self) -> None:
        """Start without requests."""
        self.scope: dict[str, Any] = {}
        self.body = b""
        self.groups: frozenset[str] = frozenset()
        self.frames: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        self.scope = scope
        passage = current_passage()
        self.groups = frozenset() if passage is None else passage.groups
        if scope["type"] == "websocket":
            while (message := await receive())["type"] == "websocket.receive":
                self.frames.append(json.loads(message["text"]))
            return
        more = True
        while more:
            message = await receive()
            self.body += message.get("body", b"")
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    @property
    def parsed(self) -> dict[str, Any]:
        """The body as LiteLLM reads it."""
        keys, body = self.scope["parsed_body"]
        assert tuple(body) == keys
        return dict(body)


class Answer:
    """An answer."""

    def __init__(self, sent: list[Message]) -> None:
        """Read the ASGI messages that were *sent*."""
        self.status = sent[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        self.error = json.loads(sent[1]["body"]).get("error", {})


def ask(
    path: str,
    body: object = None,
    *,
    method: str = "POST",
    raw: bytes | None = None,
    key: str = OWN_KEY,
    query: bytes = b"",
    policy: Policy = POLICY,
    chunks: Iterable[bytes] | None = None,
    unchecked: frozenset[str] = frozenset(),
    headers: dict[str, str] | None = None,
) -> tuple[Answer, Proxy]:
    """Send one request through a gate; return the answer, and what the proxy behind it received."""
    content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
    waiting = list([content] if chunks is None else chunks)
    sent: list[Message] = []
    proxy = Proxy()

    async def receive() -> Message:
        if not waiting:
            await asyncio.sleep(5)
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or chunks is not None}

    async def send(message: Message) -> None:
        sent.append(message)

    shown = {"authorization": f"Bearer {key}", "content-type": "application/json", **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": [(name.encode(), value.encode()) for name, value in shown.items()],
    }
    gate = RequestGate(proxy, OWN_KEY, policy, lambda models: frozenset(models or ("all",)), unchecked)
    asyncio.run(gate(scope, receive, send))
    return Answer(sent), proxy


def refused(path: str, body: object, **options: Any) -> Answer:
    """Send a request that must be refused, and require that the proxy received nothing."""
    answer, proxy = ask(path, body, **options)
    assert proxy.scope == {}, "LiteLLM saw the request"
    return answer


@pytest.mark.parametrize("path", GOOD)
def test_a_good_request_passes_as_it_is(path: str) -> None:
    answer, proxy = ask(path, GOOD[path], query=b"model=codex-auto&api-version=1")
    assert answer.status == 200
    assert proxy.parsed == GOOD[path] == json.loads(proxy.body)
    assert proxy.scope["query_string"] == b""
    assert (b"content-length", str(len(proxy.body)).encode()) in proxy.scope["headers"]
    assert proxy.groups == {"chat-auto"}


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("name", [*sorted(CONTROLS), "router_settings_override", "_internal", "litellm_logging_obj"])
@pytest.mark.parametrize("value", ["x", ["codex-auto"], {"codex-auto": []}, True, 1])
def test_what_litellm_knows_is_refused_by_name(path: str, name: str, value: object) -> None:
    answer = refused(path, {**GOOD[path], name: value})
    assert answer.status == 400
    assert repr(name) in answer.error["message"]
    assert "Fix: " in answer.error["message"]
    if path != MESSAGES:
        assert (answer.error["param"], answer.error["code"]) == (name, "unsupported_parameter")


def test_a_fallback_as_an_object_is_refused_wherever_it_stands() -> None:
    bodies: tuple[dict[str, Any], ...] = (
        {"fallbacks": {"codex-auto": []}},
        {"router_settings_override": {"fallbacks": {"codex-auto": []}}},
        {"fallbacks": [{"model": "chat-auto", "callbacks": ["otel"]}]},
        {"metadata": {"fallbacks": {"codex-auto": []}}},
        {"extra_body": {"fallbacks": {"codex-auto": []}}},
    )
    policy = Policy(MODELS, LiteLLMNames(KNOWN | {"extra_body"}, CONTROLS), limits=LIMITS)
    for body in bodies:
        assert refused(CHAT, {**GOOD[CHAT], **body}, policy=policy).status == 400


def test_identifiers_of_a_conversation_may_stand_in_the_metadata() -> None:
    body = {**GOOD[CHAT], "metadata": {"litellm_session_id": "a", "session_id": "b", "vibe_choice": "strong"}}
    _, proxy = ask(CHAT, body)
    assert proxy.parsed == body


def test_a_whole_number_may_be_written_with_a_point() -> None:
    _, proxy = ask(CHAT, {**GOOD[CHAT], "max_tokens": 5.0})
    assert proxy.parsed["max_tokens"] == 5
    assert refused(CHAT, {**GOOD[CHAT], "max_tokens": 5.5}).error["param"] == "max_tokens"


def test_the_page_on_safety_has_the_bounds_and_the_habits_as_they_are() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/security.md").read_text(encoding="utf-8")
    bounds = page.partition("\n### Bounds\n")[2].partition("\n### ")[0]
    missing = [name for name in LIMIT_NAMES if f"{getattr(DEFAULT_LIMITS, name):,} " not in bounds]
    assert missing == []
    (habits,) = [line for line in page.splitlines() if line.startswith("| wrappers send by habit")]
    assert set(re.findall(r"`([\w-]+)`", habits)) == api_fields.DROPPED


@pytest.mark.parametrize("name", sorted(api_fields.DROPPED))
def test_what_wrappers_send_by_habit_is_left_out(name: str) -> None:
    _, proxy = ask(CHAT, {**GOOD[CHAT], name: 7})
    assert proxy.parsed == GOOD[CHAT]


def test_a_field_that_nobody_knows_passes_and_so_does_one_that_the_operator_allows() -> None:
    body: dict[str, Any] = {**GOOD[CHAT], "top_a": 0.2, "environment": "x", "top_k": 4}
    _, proxy = ask(CHAT, body)
    assert proxy.parsed == body


@pytest.mark.parametrize("path", [COMPLETIONS, EMBEDDINGS])
def test_a_field_of_another_api_is_left_out_where_litellm_would_stumble_over_it(path: str) -> None:
    _, proxy = ask(path, {**GOOD[path], "function_call": "auto", "response_format": {"type": "text"}})
    assert proxy.parsed == GOOD[path]


def test_a_field_of_another_api_passes_by_its_own_check() -> None:
    body = {**GOOD[RESPONSES], "max_tokens": 5, "messages": USER}
    _, proxy = ask(RESPONSES, body)
    assert proxy.parsed == body
    assert refused(RESPONSES, {**body, "messages": "hi"}).error["param"] == "messages"


def test_a_field_without_a_value_is_as_good_as_none() -> None:
    _, proxy = ask(CHAT, {**GOOD[CHAT], "stop": None, "fallbacks": None, "metadata": None})
    assert proxy.parsed == GOOD[CHAT]


@pytest.mark.parametrize(
    ("model", "status"),
    [
        ("nope", 404),
        ("CHAT-AUTO", 404),
        ("chat-auto,codex-auto", 404),
        ("," * 20_000, 400),
        (["chat-auto"], 400),
        ({"chat-auto": 1}, 400),
        (None, 400),
        ("oobabooga/http://127.0.0.1:9464/x", 404),
        ("x\n[23:59:51] [VIBE-ROUTER] [INFO] SERVED \x1b[2J\u202e", 404),
    ],
)
@pytest.mark.parametrize("path", GOOD)
def test_the_model_is_one_name_that_is_configured(path: str, model: object, status: int) -> None:
    answer = refused(path, {**GOOD[path], "model": model})
    assert answer.status == status
    assert all(" " <= one <= "~" for one in answer.error["message"])
    assert all(" " <= one <= "~" for value in answer.headers.values() for one in value)


def test_a_client_with_a_list_reaches_its_models_alone() -> None:
    shown = {"x-vibe-client": "team-a", "x-vibe-client-models": "pool-chat-mini"}
    assert refused(CHAT, GOOD[CHAT], headers=shown).status == 403
    answer, proxy = ask(CHAT, {**GOOD[CHAT], "model": "pool-chat-mini"}, headers=shown)
    assert answer.status == 200
    assert proxy.groups == {"pool-chat-mini"}


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (CHAT, {"messages": "hi"}),
        (CHAT, {"messages": ["hi"]}),
        (CHAT, {"messages": [{"role": 1}]}),
        (CHAT, {"messages": [{"role": "user", "content": {"a": 1}}]}),
        (CHAT, {"messages": [{"role": "user", "content": ["hi"]}]}),
        (CHAT, {"messages": [{"role": "assistant", "tool_calls": ["x"]}]}),
        (CHAT, {"tools": {"a": 1}}),
        (CHAT, {"tools": ["x"]}),
        (CHAT, {"tool_choice": {"model": "x"}}),
        (CHAT, {"temperature": "hot"}),
        (CHAT, {"stream": "yes"}),
        (CHAT, {"n": True}),
        (CHAT, {"tags": ["a"] * 6}),
        (CHAT, {"tags": ["a" * 65]}),
        (CHAT, {"metadata": ["cost-centre"]}),
        (CHAT, {"metadata": {"a": {"b": 1}}}),
        (CHAT, {"metadata": {"a": ["b"]}}),
        (CHAT, {"metadata": {"model_group": "x"}}),
        (CHAT, {"metadata": {"user_api_key_alias": "victim"}}),
        (CHAT, {"metadata": {"vibe_decision": {"pool": "x"}}}),
        (CHAT, {"metadata": {str(index): "x" for index in range(6)}}),
        (CHAT, {"litellm_metadata": {"guardrails": "x"}}),
        (RESPONSES, {"input": {"a": 1}}),
        (RESPONSES, {"input": ["hi"]}),
        (RESPONSES, {"input": [{"role": "user", "content": 5}]}),
        (RESPONSES, {"previous_response_id": ["resp_1"]}),
        (RESPONSES, {"previous_response_id": {"id": "resp_1"}}),
        (MESSAGES, {"system": {"a": 1}}),
        (MESSAGES, {"system": ["a"]}),
        (MESSAGES, {"mcp_servers": "http://127.0.0.1"}),
        (COMPLETIONS, {"prompt": [{"a": 1}]}),
        (EMBEDDINGS, {"input": [[1, "a"]]}),
    ],
)
def test_a_field_of_another_shape_is_refused_by_name(path: str, wrong: dict[str, Any]) -> None:
    answer = refused(path, {**GOOD[path], **wrong})
    assert answer.status == 400
    assert next(iter(wrong)) in answer.error["message"]
    assert "Fix: " in answer.error["message"]


def _nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"a": found}
    return found


@pytest.mark.parametrize(
    ("path", "large"),
    [
        (CHAT, {"messages": USER * 21}),
        (CHAT, {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}] * 31}]}),
        (CHAT, {"tools": [{"type": "function"}] * 11}),
        (CHAT, {"top_a": _nested(12)}),
        (CHAT, {"top_a": [0] * 500}),
        (RESPONSES, {"input": [{"role": "user", "content": "hi"}] * 26}),
        (MESSAGES, {"system": [{"type": "text", "text": ""}] * 31}),
        (COMPLETIONS, {"prompt": ["hi"] * 21}),
        (EMBEDDINGS, {"input": ["hi"] * 21}),
    ],
)
def test_a_request_beyond_a_limit_is_refused_by_the_variable_that_sets_it(path: str, large: dict[str, Any]) -> None:
    answer = refused(path, {**GOOD[path], **large})
    assert answer.status in {400, 413}
    assert "router_limits." in answer.error["message"]


def test_a_body_that_would_cost_much_to_read_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orjson.loads", lambda body: pytest.fail("it was read"))
    answer = refused(CHAT, None, raw=b'{"top_a":[' + b"{}," * 5_000 + b"0]}")
    assert answer.status == 413


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"hi"',
        b"null",
        b'{"model": "chat-auto", "seed": NaN, "messages": []}',
        b'{"model": "chat-auto", "messages": [{"role": "user", "content": "\\ud800"}]}',
        '{"model": "chat-auto"}'.encode("utf-16"),
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b"model=chat-auto&messages=1",
    ],
    ids=lambda raw: str(raw[:20]),
)
def test_a_body_that_is_no_json_object_is_the_clients_400(raw: bytes) -> None:
    answer = refused(CHAT, None, raw=raw)
    assert answer.status == 400
    assert "body" in answer.error["message"]


def test_the_last_of_two_equal_fields_is_the_one_that_was_checked_and_the_one_that_is_sent() -> None:
    raw = b'{"model": "nope", "messages": [{"role": "user", "content": "hi"}], "model": "chat-auto"}'
    _, proxy = ask(CHAT, None, raw=raw)
    assert json.loads(proxy.body)["model"] == proxy.parsed["model"] == "chat-auto"
    assert b"nope" not in proxy.body


ALIASES = Policy(MODELS, aliases={"gpt-*": "chat-auto", "chat-auto": "codex-auto", "*-mini": "codex-auto"})


@pytest.mark.parametrize(
    ("name", "model"), [("gpt-5-mini", "chat-auto"), ("o4-mini", "codex-auto"), ("chat-auto", "chat-auto")]
)
def test_an_alias_stands_for_its_model_unless_there_is_one_of_that_name(name: str, model: str) -> None:
    _, proxy = ask(CHAT, {**GOOD[CHAT], "model": name}, policy=ALIASES)
    assert (proxy.parsed["model"], json.loads(proxy.body)["model"]) == (model, model)


def test_a_client_may_use_an_alias_of_its_models_alone() -> None:
    headers = {"x-vibe-client": "ann", "x-vibe-client-models": "codex-auto"}
    allowed = ask(CHAT, {**GOOD[CHAT], "model": "o4-mini"}, policy=ALIASES, headers=headers)[0]
    refused_one = ask(CHAT, {**GOOD[CHAT], "model": "gpt-5"}, policy=ALIASES, headers=headers)[0]
    assert (allowed.status, refused_one.status) == (200, 403)


def test_the_type_of_a_body_does_not_matter() -> None:
    _, proxy = ask(CHAT, GOOD[CHAT], headers={"content-type": "application/x-www-form-urlencoded"})
    assert (b"content-type", b"application/json") in proxy.scope["headers"]


def _ask_packed(raw: bytes, encoding: str) -> tuple[Answer, Proxy]:
    return ask(CHAT, raw=raw, headers={"content-encoding": encoding})


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.compress),
        ("identity", bytes),
    ],
)
def test_a_compressed_body_is_unpacked(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    answer, proxy = _ask_packed(pack(json.dumps(GOOD[CHAT]).encode()), encoding)
    assert answer.status == 200
    assert json.loads(proxy.body)["messages"] == USER
    assert b"content-encoding" not in dict(proxy.scope["headers"])


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
def test_a_body_that_grows_too_large_is_refused(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    answer, proxy = _ask_packed(pack(b" " * 50_000_000), encoding)
    assert (answer.status, proxy.body) == (413, b"")
    assert "router_limits.unpacked_bytes" in answer.error["message"]


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "x\x1b[2J"])
def test_an_unknown_encoding_is_named_with_those_that_are_read(encoding: str) -> None:
    answer, _ = _ask_packed(b"{}", encoding)
    assert answer.status == 415
    assert "gzip, zstd" in answer.error["message"]
    assert "\x1b" not in answer.error["message"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"\x1f\x8b\x08\x00cut", gzip.compress(b"{}")[:-4], gzip.compress(b"{}") + b"more"],
    ids=["empty", "plain", "only its head", "cut off", "followed by something else"],
)
def test_a_body_of_another_encoding_is_refused(encoding: str, raw: bytes) -> None:
    answer, proxy = _ask_packed(raw, encoding)
    assert (answer.status, proxy.body) == (400, b"")


def test_a_body_that_does_not_end_is_given_up() -> None:
    answer = refused(CHAT, None, chunks=[b"{"])
    assert answer.status == 408
    assert "body_seconds" in answer.error["message"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD"])
def test_a_request_without_a_body_brings_none_and_of_its_query_what_a_reader_may_say(method: str) -> None:
    query = b"include=a&model=codex-auto&litellm_metadata=x&stream=true"
    _, proxy = ask("/v1/responses/resp_1", {"api_key": "x"}, method=method, query=query)
    assert (proxy.parsed, proxy.body) == ({}, b"")
    assert proxy.scope["query_string"] == b"include=a&stream=true"
    assert proxy.groups == {"all"}


def test_a_stored_response_is_cancelled_without_a_body() -> None:
    _, proxy = ask("/v1/responses/resp_1/cancel", {"custom_llm_provider": "anthropic"})
    assert (proxy.parsed, proxy.body) == ({}, b"")


def test_a_strangers_body_is_not_read() -> None:
    _, proxy = ask(CHAT, {"model": "," * 20_000}, key="sk-guessed")
    assert (proxy.parsed, proxy.body, proxy.groups) == ({}, b"", frozenset())


def test_a_path_that_is_not_checked_is_served_only_where_the_operator_says_so() -> None:
    assert refused("/v1/images/generations", {"prompt": "x"}).status == 404
    _, proxy = ask("/v1/images/generations", {"prompt": "x"}, unchecked=frozenset({"/v1/images/generations"}))
    assert json.loads(proxy.body) == {"prompt": "x"}


def test_feedback_is_its_own_handlers_to_read() -> None:
    body = {"request_id": "a", "good": True}
    _, proxy = ask("/vibe/feedback", body)
    assert (json.loads(proxy.body), proxy.parsed) == (body, {})


def test_a_thread_is_refused_in_the_words_that_anthropics_sdks_understand() -> None:
    answer = refused(MESSAGES, {**GOOD[MESSAGES], "thread": {"type": "create"}})
    assert answer.error["details"] == {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}


def _frames(*texts: str, path: str = RESPONSES) -> tuple[list[dict[str, Any]], list[Message]]:
    """Send messages over a WebSocket; return those that the proxy received, and the answers."""
    waiting, proxy = list(texts), Proxy()
    sent: list[Message] = []

    async def receive() -> Message:
        if not waiting:
            return {"type": "websocket.disconnect"}
        return {"type": "websocket.receive", "text": waiting.pop(0)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {OWN_KEY}".encode())],
    }
    asyncio.run(RequestGate(proxy, OWN_KEY, POLICY, frozenset)(scope, receive, send))
    return proxy.frames, sent


def test_a_websocket_of_another_path_is_not_accepted() -> None:
    seen, sent = _frames("{}", path="/v1/realtime")
    assert seen == []
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("is_wrapped", [True, False])
def test_each_frame_of_a_websocket_is_rebuilt(is_wrapped: bool) -> None:
    def frame(**fields: object) -> str:
        inside = {**GOOD[RESPONSES], **fields}
        return json.dumps({"type": "response.create", **({"response": inside} if is_wrapped else inside)})

    seen, sent = _frames(frame(), frame(fallbacks={"codex-auto": []}), frame())
    assert len(seen) == 1
    assert "fallbacks" in sent[0]["text"]
    assert sent[1]["type"] == "websocket.close"


def test_every_client_that_was_recorded_passes() -> None:
    folder = Path(__file__).resolve().parents[1] / "fixtures/clients"
    sent = 0
    for path in sorted(folder.rglob("*.json")):
        recorded = json.loads(path.read_text(encoding="utf-8"))
        for request in recorded if isinstance(recorded, list) else [recorded]:
            if not isinstance(request.get("body"), dict):
                continue
            body = {**request["body"], "model": "chat-auto"}
            # A field outside the API is refused if LiteLLM knows its name, which depends on LiteLLM's version.
            api = api_fields.api_of(request["path"].partition("?")[0])
            assert api is not None
            assert [key for key in body if api_fields.check_of(key, api) is None] == [], path.name
            policy = Policy(MODELS, NAMES)
            answer, proxy = ask(request["path"].partition("?")[0], body, policy=policy)
            assert answer.status == 200, (path.name, answer.error)
            assert proxy.parsed == {key: value for key, value in body.items() if value is not None}
            sent += 1
    assert {path.parent.name for path in folder.rglob("*.json")} == {"claude-code", "codex", "opencode"}
    assert sent > 20


# The SDK's own parameters that would choose another model, account or region than the release, or that are refused
# with a message of their own (thread).
REFUSED = {
    "messages": {"fallbacks", "fallback_credit_token", "workspace_id", "user_profile_id", "billing_policy", "thread"},
}


@pytest.mark.parametrize(
    ("api", "parameters"),
    [
        (api_fields.CHAT, chat_api.CompletionCreateParamsBase),
        (api_fields.COMPLETIONS, completions_api.CompletionCreateParamsBase),
        (api_fields.EMBEDDINGS, embeddings_api.EmbeddingCreateParams),
        (api_fields.RESPONSES, responses_api.ResponseCreateParamsBase),
        (api_fields.MESSAGES, messages_api.MessageCreateParamsBase),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_fields_are_those_of_the_sdks(api: api_fields.Api, parameters: Any) -> None:
    assert set(parameters.__annotations__) - set(api.fields) == REFUSED.get(api.name, set())


def test_names_are_strings_parameters_and_fields_of_the_source() -> None:
    source = b"""
class Options:
    base_url: str = ""

async def call(self, model: str, *, api_key=None, **settings) -> None:
    kwargs.pop("passthrough_on_no_deployment", None)
    if 'no-log' in kwargs: ...
"""
    assert names_in([source]) >= {
        *("base_url", "model", "api_key", "settings", "passthrough_on_no_deployment", "no-log"),
    }


def test_a_litellm_without_one_of_the_lists_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from vibe.proxy import litellm_names

    monkeypatch.setattr(litellm_names, "_CONTROLS", (("json", "all_litellm_params"),))
    with pytest.raises(UnknownLiteLLMError, match="json has no all_litellm_params"):
        litellm_names._listed(litellm_names._CONTROLS)


def _answer_of(app: App, path: str) -> list[Message]:
    """Return what a client gets of *app* behind a gate."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps(GOOD[path]).encode()}

    async def send(message: Message) -> None:
        sent.append(message)

    gate = RequestGate(app, OWN_KEY, POLICY, lambda models: frozenset(("all",)))
    headers = [(b"authorization", f"Bearer {OWN_KEY}".encode())]
    asyncio.run(gate({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send))
    return sent


def _failing_upstream(failure: UpstreamFailure, status: int, *pieces: bytes) -> App:
    """Return LiteLLM as it answers after an upstream's *failure*."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passage = current_passage()
        assert passage is not None
        passage.failure = failure
        headers = [(b"content-length", b"32"), (b"x-vibe-pool", b"pool-a")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for number, piece in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})

    return app


@pytest.mark.parametrize(("path", "is_anthropic"), [(CHAT, False), (MESSAGES, True)])
@pytest.mark.parametrize("pieces", [[b'{"error": {"message": "litellm"}}'], [b'{"error"', b": 1}"]])
def test_an_upstreams_error_replaces_litellms(path: str, is_anthropic: bool, pieces: list[bytes]) -> None:
    failure = UpstreamFailure(529, "Overloaded", "overloaded_error")
    sent = _answer_of(_failing_upstream(failure, 500, *pieces), path)
    body = failure.body(is_anthropic=is_anthropic)
    assert (sent[0]["status"], sent[1]["body"], len(sent)) == (529, body, 2)
    assert dict(sent[0]["headers"]) == {
        b"x-vibe-pool": b"pool-a",
        b"content-type": b"application/json",
        b"content-length": str(len(body)).encode(),
    }


def test_the_answer_of_a_fallback_is_left_alone() -> None:
    sent = _answer_of(_failing_upstream(UpstreamFailure(529, "Overloaded"), 200, b"{}"), CHAT)
    assert [message.get("status", message.get("body")) for message in sent] == [200, b"{}"]


LISTED = [{"id": "chat-auto", "object": "model"}, {"id": "openai/gpt", "object": "model"}]


def _ask_for_model(
    path: str, status: int = 200, key: str = OWN_KEY, headers: dict[str, str] | None = None
) -> tuple[int, Any, list[Any]]:
    """Return status and body of the answer to GET *path*, and the scopes that the proxy received."""
    asked: list[Any] = []
    sent: list[Message] = []

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope)
        body = json.dumps({"data": LISTED} if status == 200 else {"error": {"message": "no"}}).encode()
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"1")]})
        await send({"type": "http.response.body", "body": body[:9], "more_body": True})
        await send({"type": "http.response.body", "body": body[9:]})

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    shown = {"authorization": f"Bearer {key}", **(headers or {})}
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"x=1",
        "headers": [(name.encode(), value.encode()) for name, value in shown.items()],
    }
    gate = RequestGate(proxy, OWN_KEY, POLICY, lambda models: frozenset(("all",)))
    asyncio.run(gate(scope, receive, send))
    assert dict(sent[0]["headers"])[b"content-length"] == str(len(sent[1]["body"])).encode()
    return sent[0]["status"], json.loads(sent[1]["body"]), asked


@pytest.mark.parametrize("path", ["/v1/models/chat-auto", "/models/chat-auto", "/v1/models/openai/gpt"])
def test_a_listed_model_is_found_by_its_name(path: str) -> None:
    status, body, asked = _ask_for_model(path)
    assert (status, body["id"]) == (200, path.partition("models/")[2])
    assert (asked[0]["path"], asked[0]["query_string"]) == (path.partition("models")[0] + "models", b"limit=1000")


@pytest.mark.parametrize(("headers", "kind"), [({}, "invalid_request_error"), (VERSION, "not_found_error")])
def test_another_model_is_a_404_in_the_callers_form(headers: dict[str, str], kind: str) -> None:
    status, body, _ = _ask_for_model("/v1/models/gpt-9", headers=headers)
    assert (status, body["error"]["type"]) == (404, kind)
    assert "`gpt-9`" in body["error"]["message"]


def test_an_error_of_the_list_is_passed_on() -> None:
    assert _ask_for_model("/v1/models/chat-auto", status=403)[:2] == (403, {"error": {"message": "no"}})
