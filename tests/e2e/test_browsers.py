"""Web pages (CORS): off by default; with gateway_cors_origins, pages of these origins can read all answers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests
from e2e.machine import run

CHAT = "http://127.0.0.1:4000/v1/chat/completions"
BODY = {"model": "chat-auto", "messages": [{"role": "user", "content": "hi"}]}
OURS, OTHER = "https://chat.example.org", "https://evil.example.org"
ASKS_FIRST = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
ALLOWED = "access-control-allow-origin"


def _asks_first(origin: str) -> requests.Response:
    return requests.options(CHAT, headers={"origin": origin, **ASKS_FIRST}, timeout=60)


def _posts(origin: str, key: str) -> requests.Response:
    return requests.post(CHAT, json=BODY, headers={"origin": origin, "authorization": f"Bearer {key}"}, timeout=60)


def _named_origins(answer: requests.Response) -> list[str]:
    return [value for name, value in answer.headers.items() if name.lower().startswith("access-control-")]


@pytest.fixture(scope="module")
def opened(deployed: dict[str, str]) -> Iterator[dict[str, str]]:
    """The gateway with one origin allowed; afterwards none is."""
    run("./deploy.sh", "--tags", "gateway", "-e", json.dumps({"gateway_cors_origins": [OURS]}))
    yield deployed
    run("./deploy.sh", "--tags", "gateway")


def test_no_page_can_read_anything_by_default(deployed: dict[str, str]) -> None:
    answers = [_asks_first(OURS), _posts(OURS, deployed["OPENAI_API_KEY"]), _posts(OURS, "sk-wrong")]
    assert [answer.status_code for answer in answers] == [401, 200, 401]
    assert [_named_origins(answer) for answer in answers] == [[], [], []]


def test_a_page_of_an_allowed_origin_asks_first_without_a_key(opened: dict[str, str]) -> None:
    answer = _asks_first(OURS)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers[ALLOWED] == OURS
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"


@pytest.mark.parametrize("key", ["", "sk-wrong"])
def test_it_can_read_answers_and_errors(key: str, opened: dict[str, str]) -> None:
    answer = _posts(OURS, key or opened["OPENAI_API_KEY"])
    assert answer.status_code == (401 if key else 200)
    assert (answer.headers[ALLOWED], "origin" in answer.headers["vary"]) == (OURS, True)
    assert answer.headers["access-control-expose-headers"] == "*"


def test_a_page_of_another_origin_cannot(opened: dict[str, str]) -> None:
    assert _asks_first(OTHER).status_code == 401
    assert not _named_origins(_posts(OTHER, opened["OPENAI_API_KEY"]))


def test_programs_get_no_such_headers(opened: dict[str, str]) -> None:
    headers = {"authorization": f"Bearer {opened['OPENAI_API_KEY']}"}
    assert not _named_origins(requests.post(CHAT, json=BODY, headers=headers, timeout=60))
