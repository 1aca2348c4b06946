"""Requests from public bug reports of people who run LiteLLM gateways: each is answered as its client expects."""

from __future__ import annotations

import gzip
import json
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests
import zstandard
from e2e.machine import stub_connections, stub_requests, wait_for
from vibe_fixtures import HARD

ADDRESS = ("127.0.0.1", 4000)
URL = f"http://{ADDRESS[0]}:{ADDRESS[1]}"
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
APIS = (CHAT, RESPONSES, MESSAGES)
ANTHROPIC = {"anthropic-version": "2023-06-01"}
# The stub would answer long after the client has left.
DELAY_SECONDS, PATIENCE_SECONDS = 20, 5


def _body(api: str, prompt: str, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"model": "claude-auto" if api.startswith(MESSAGES) else "chat-auto", **more}
    if api == RESPONSES:
        return body | {"input": prompt}
    return body | {"messages": [{"role": "user", "content": prompt}], "max_tokens": 16}


def _headers(settings: dict[str, str], **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {settings['OPENAI_API_KEY']}", "content-type": "application/json", **more}


def _post(api: str, settings: dict[str, str], prompt: str, **more: Any) -> requests.Response:
    return requests.post(URL + api, json=_body(api, prompt, **more), headers=_headers(settings), timeout=60)


# Status -> Anthropic's type of error, as the stub has it too.
STATUSES = {
    400: "invalid_request_error",
    403: "permission_error",
    409: "invalid_request_error",
    413: "request_too_large",
    422: "invalid_request_error",
    529: "overloaded_error",
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("api", APIS)
def test_an_upstreams_error_keeps_its_status_words_and_code(
    api: str, status: int, stream: bool, deployed: dict[str, str]
) -> None:
    answer = _post(api, deployed, f"hi [[stub:status={status}]]", stream=stream)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert re.fullmatch(rf"stub fault {status} for model stub-[a-z-]+", error["message"])
    if api == MESSAGES:
        assert (answer.json()["type"], error["type"]) == ("error", STATUSES[status])
    else:
        assert error["code"] == f"stub_{status}"


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
@pytest.mark.parametrize("api", APIS)
def test_a_compressed_body_is_read(
    api: str, encoding: str, pack: Callable[[bytes], bytes], deployed: dict[str, str]
) -> None:
    packed = pack(json.dumps(_body(api, "hi")).encode())
    headers = _headers(deployed, **{"content-encoding": encoding})
    answer = requests.post(URL + api, data=packed, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text


def test_a_body_that_unpacks_to_too_much_is_refused(deployed: dict[str, str]) -> None:
    headers = _headers(deployed, **{"content-encoding": "gzip"})
    answer = requests.post(URL + CHAT, data=gzip.compress(b" " * 50_000_000), headers=headers, timeout=60)
    assert answer.status_code == 413
    assert "unpacked" in answer.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", APIS)
def test_a_client_that_leaves_ends_the_request_upstream(api: str, stream: bool, deployed: dict[str, str]) -> None:
    # The router closes idle connections itself.
    wait_for(lambda: not stub_connections(), 30)
    body = json.dumps(_body(api, f"hi [[stub:delay={DELAY_SECONDS}]]", stream=stream)).encode()
    lines = [f"POST {api} HTTP/1.1", "Host: gateway", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in _headers(deployed).items()]
    with socket.create_connection(ADDRESS, timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        wait_for(lambda: bool(stub_connections()), 10, lambda: "the request never reached the stub")
    wait_for(lambda: not stub_connections(), PATIENCE_SECONDS, lambda: "it goes on without its client")


@pytest.mark.parametrize("name", ["chat-auto", "claude-auto", "pool-chat-mini", "text-embedding-3-small"])
@pytest.mark.parametrize("headers", [{}, ANTHROPIC])
def test_a_listed_model_can_be_asked_for_by_name(name: str, headers: dict[str, str], deployed: dict[str, str]) -> None:
    listed = requests.get(f"{URL}/v1/models", headers=_headers(deployed, **headers), timeout=60).json()["data"]
    answer = requests.get(f"{URL}/v1/models/{name}", headers=_headers(deployed, **headers), timeout=60)
    assert answer.status_code == 200
    assert answer.json() == next(model for model in listed if model["id"] == name)
    assert answer.json().get("type" if headers else "object") == "model"


def test_a_fixed_model_name_of_claude_code_is_routed(deployed: dict[str, str]) -> None:
    # The inventory maps it.
    answer = _post(MESSAGES, deployed, "hi", model="claude-haiku-4-5-20251001")
    assert (answer.status_code, answer.headers["x-vibe-pool"]) == (200, "pool-claude-haiku")


@pytest.mark.parametrize("name", ["claude-99", "gpt-9"])
def test_tokens_of_an_unknown_model_are_not_counted(name: str, deployed: dict[str, str]) -> None:
    answer = _post("/v1/messages/count_tokens", deployed, "hi", model=name)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")


@pytest.mark.parametrize(("headers", "kind"), [({}, "invalid_request_error"), (ANTHROPIC, "not_found_error")])
def test_another_model_is_not_found_in_the_callers_form(
    headers: dict[str, str], kind: str, deployed: dict[str, str]
) -> None:
    answer = requests.get(f"{URL}/v1/models/gpt-9", headers=_headers(deployed, **headers), timeout=60)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, kind)
    assert "`gpt-9` does not exist" in answer.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("first", "pool"), [("hi", "pool-codex-mini"), (HARD, "pool-codex-heavy")])
def test_a_stored_response_is_continued_in_its_pool(
    first: str, pool: str, stream: bool, deployed: dict[str, str]
) -> None:
    answer = _post(RESPONSES, deployed, first, model="codex-auto", stream=stream)
    assert answer.headers["x-vibe-pool"] == pool
    (response_id, *_) = re.findall(r'"id": ?"(resp_[^"]+)"', answer.text)
    for prompt in ("ok go ahead", HARD, "thanks"):
        more = _post(RESPONSES, deployed, prompt, model="codex-auto", previous_response_id=response_id)
        assert (more.headers["x-vibe-pool"], more.headers["x-vibe-rule"]) == (pool, "stored"), more.text


def test_a_tool_result_alone_follows_its_stored_response(deployed: dict[str, str]) -> None:
    answer = _post(RESPONSES, deployed, "hi", model="codex-auto").json()
    body = {
        "model": "codex-auto",
        "previous_response_id": answer["id"],
        "input": [{"type": "function_call_output", "call_id": "call_1", "output": "sunny"}],
    }
    more = requests.post(URL + RESPONSES, json=body, headers=_headers(deployed), timeout=60)
    assert more.headers["x-vibe-pool"] == "pool-codex-mini", more.text


def test_a_picture_in_a_tool_result_reaches_a_model_that_sees_it(deployed: dict[str, str]) -> None:
    # A picture of one point, PNG.
    point = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": point}}
    use = {"type": "tool_use", "id": "toolu_1", "name": "read_file", "input": {"path": "plot.png"}}
    body = {
        "model": "chat-auto",
        "max_tokens": 16,
        "tools": [{"name": "read_file", "description": "Reads a file.", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": "read plot.png"},
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [picture]}]},
        ],
    }
    answer = requests.post(URL + MESSAGES, json=body, headers=_headers(deployed, **ANTHROPIC), timeout=60)
    assert (answer.status_code, answer.headers["x-vibe-pool"]) == (200, "pool-chat-standard")
    # Chat completions have no pictures in tool results: LiteLLM sends it in a message of its own.
    assert (stub_requests()[-1]["model"], stub_requests()[-1]["messages"]) == ("stub-chat-standard", 4)
