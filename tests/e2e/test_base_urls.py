"""Base URLs as people write them: served, or a 404 that says which one is right."""

from __future__ import annotations

from typing import Any

import pytest
import requests

URL = "http://127.0.0.1:4000"
HI = [{"role": "user", "content": "hi"}]
ANTHROPIC = {"anthropic-version": "2023-06-01"}


def _post(path: str, key: str, header: str = "authorization", **headers: str) -> requests.Response:
    value = f"Bearer {key}" if header == "authorization" else key
    body: dict[str, Any] = {"model": "claude-auto", "max_tokens": 16, "messages": HI}
    return requests.post(URL + path, json=body, headers={header: value, **headers}, timeout=60, allow_redirects=False)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/",
        "/chat/completions/",
        "/v1/messages/",
        "/messages",
        "/messages/",
        "/messages/count_tokens",
    ],
)
def test_a_slash_at_the_end_and_a_missing_v1_are_served(path: str, deployed: dict[str, str]) -> None:
    assert _post(path, deployed["OPENAI_API_KEY"], **ANTHROPIC).status_code == 200


def test_the_list_of_models_needs_no_redirect(deployed: dict[str, str]) -> None:
    headers = {"authorization": f"Bearer {deployed['OPENAI_API_KEY']}"}
    answer = requests.get(f"{URL}/v1/models/", headers=headers, timeout=60, allow_redirects=False)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1/v1/chat/completions",
        "/v1/v1/messages",
        "/openai/v1/chat/completions",
        "/openai/deployments/chat-auto/chat/completions?api-version=2025-04-01-preview",
        "/api/v1/messages",
    ],
)
def test_a_wrong_base_url_gets_the_right_one(path: str, deployed: dict[str, str]) -> None:
    answer = _post(path, deployed["OPENAI_API_KEY"], "api-key")
    assert answer.status_code == 404
    assert f"base URL is {URL}/v1," in answer.json()["error"]["message"]


def test_a_host_header_cannot_break_the_message() -> None:
    answer = requests.get(f"{URL}/nowhere", headers={"host": "y" * 500}, timeout=60)
    assert (answer.status_code, len(answer.json()["error"]["message"]) < 400) == (404, True)
    assert requests.get(f"{URL}/nowhere", headers={"host": 'a"},{"x":"y'}, timeout=60).status_code == 400


@pytest.mark.parametrize("headers", [{"x-goog-api-key": "KEY"}, {"key": "KEY"}])
def test_a_key_in_another_header_gets_the_right_ones(headers: dict[str, str], deployed: dict[str, str]) -> None:
    sent = {name: value.replace("KEY", deployed["OPENAI_API_KEY"]) for name, value in headers.items()}
    answer = requests.post(f"{URL}/v1/messages", json={}, headers=sent, timeout=60)
    assert answer.status_code == 401
    assert all(
        name in answer.json()["error"]["message"] for name in ("Authorization: Bearer KEY", "x-api-key", "api-key")
    )


@pytest.mark.parametrize(
    ("path", "headers", "is_anthropic"),
    [
        ("/v1/models", {}, False),
        ("/v1/models", ANTHROPIC, True),
        ("/models", ANTHROPIC, True),
        ("/v1/models/chat-auto", {}, False),
        ("/v1/chat/completions", ANTHROPIC, False),
        ("/v1/messages", {}, True),
        ("/messages", {}, True),
    ],
)
def test_a_wrong_key_is_refused_in_the_callers_form(path: str, headers: dict[str, str], is_anthropic: bool) -> None:
    answer = requests.get(URL + path, headers={"authorization": "Bearer sk-wrong", **headers}, timeout=60)
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert error["type"] == ("authentication_error" if is_anthropic else "invalid_request_error")
    assert error.get("code") == (None if is_anthropic else "invalid_api_key")


@pytest.mark.parametrize("value", ["Bearer KEY", "KEY"])
def test_the_key_counts_in_litellms_own_header(value: str, deployed: dict[str, str]) -> None:
    headers = {"authorization": "Bearer sk-of-another-proxy"}
    headers["x-litellm-api-key"] = value.replace("KEY", deployed["OPENAI_API_KEY"])
    body = {"model": "claude-auto", "max_tokens": 16, "messages": HI}
    assert requests.post(f"{URL}/v1/messages", json=body, headers=headers, timeout=60).status_code == 200
