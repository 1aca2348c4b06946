"""The rules in the deployed proxy: recorded turns are replayed; explicit choices on every API, streamed or not."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from e2e.machine import PROJECT
from vibe_fixtures import BACKGROUND_TURNS

RECORDED = PROJECT / "tests/fixtures/clients"
TITLE = "Generate a concise, sentence-case title"
_OF_A_TURN = ("score", "inherit", "escalation")
# Hop-by-hop headers, and those of the transport.
NOT_REPLAYED = ("host", "content-length", "connection", "accept-encoding", "authorization", "x-api-key")


def _recorded(client: str) -> list[Any]:
    found = []
    for path in sorted((RECORDED / client).glob("*.json")):
        for index, sent in enumerate(json.loads(path.read_text(encoding="utf-8"))):
            if sent["method"] == "POST":
                name = f"{client}/{path.stem}-{index}"
                found.append(pytest.param(sent, BACKGROUND_TURNS.get(name), id=f"{path.stem}-{index}"))
    return found


def _replay(settings: dict[str, str], sent: dict[str, Any]) -> requests.Response:
    headers = {name: value for name, value in sent["headers"].items() if name.lower() not in NOT_REPLAYED}
    headers["authorization"] = f"Bearer {settings['OPENAI_API_KEY']}"
    root = settings["OPENAI_BASE_URL"].removesuffix("/v1")
    return requests.post(root + sent["path"], json=sent["body"], headers=headers, timeout=90)


@pytest.mark.parametrize(("sent", "kind"), [*_recorded("claude-code"), *_recorded("codex")])
def test_what_a_client_sent_is_answered_and_its_own_turns_go_cheap(
    deployed: dict[str, str], sent: dict[str, Any], kind: str | None
) -> None:
    answer = _replay(deployed, sent)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-vibe-rule"] in (_OF_A_TURN if kind is None else ("background",))
    if kind is not None:
        assert answer.headers["x-vibe-reason"] == kind
        # No recorded conversation was ever in the strong pool.
        assert answer.headers["x-vibe-pool"] in ("pool-claude-haiku", "pool-codex-mini")


@pytest.mark.parametrize("client", ["claude-code", "codex"])
def test_a_recorded_tool_that_fails_again_and_again_escalates(deployed: dict[str, str], client: str) -> None:
    turns = [case.values[0] for case in _recorded(client) if str(case.id).startswith("failing-tool")]
    rules = [_replay(deployed, sent).headers["x-vibe-rule"] for sent in turns]
    assert rules[-5:] == ["score", "inherit", "inherit", "escalation", "escalation"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("way", ["header", "metadata", "tag"])
@pytest.mark.parametrize("api", ["chat/completions", "responses", "messages"])
def test_an_explicit_choice_wins(deployed: dict[str, str], api: str, way: str, stream: bool) -> None:
    prompt = "hi [[vibe:strong]]" if way == "tag" else "hi"
    body: dict[str, Any] = {"model": "chat-auto", "stream": stream}
    body |= (
        {"input": prompt}
        if api == "responses"
        else {"messages": [{"role": "user", "content": prompt}], "max_tokens": 16}
    )
    if way == "metadata":
        body["metadata"] = {"vibe_choice": "strong"}
    headers = {"authorization": f"Bearer {deployed['OPENAI_API_KEY']}"}
    headers |= {"x-vibe-choice": "strong"} if way == "header" else {}
    answer = requests.post(f"{deployed['OPENAI_BASE_URL']}/{api}", json=body, headers=headers, timeout=90)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-vibe-rule"] == "explicit"
    assert answer.headers["x-vibe-reason"] == f"{way} choice"
    assert answer.headers["x-vibe-pool"] == "pool-chat-standard"
    # In a stream it comes in pieces: the text has the model's name.
    assert "stub-chat-standard" in answer.text


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", ["chat/completions", "responses", "messages"])
def test_a_picture_goes_to_the_pool_that_sees(deployed: dict[str, str], api: str, stream: bool) -> None:
    url = f"data:image/png;base64,{PIXEL}"
    parts: dict[str, dict[str, Any]] = {
        "chat/completions": {"type": "image_url", "image_url": {"url": url}},
        "responses": {"type": "input_image", "image_url": url},
        "messages": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
    }
    text = {"type": "input_text" if api == "responses" else "text", "text": "hi"}
    turn = {"role": "user", "content": [parts[api], text]}
    body: dict[str, Any] = {"model": "chat-auto", "stream": stream}
    body |= {"input": [turn]} if api == "responses" else {"messages": [turn], "max_tokens": 16}
    headers = {"authorization": f"Bearer {deployed['OPENAI_API_KEY']}"}
    answer = requests.post(f"{deployed['OPENAI_BASE_URL']}/{api}", json=body, headers=headers, timeout=90)
    assert answer.status_code == 200, answer.text
    assert (answer.headers["x-vibe-rule"], answer.headers["x-vibe-pool"]) == ("ability", "pool-chat-standard")
    assert answer.headers["x-vibe-reason"] == "the cheap pool does not take images"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", ["chat/completions", "responses", "messages"])
def test_a_title_goes_cheap_however_hard_its_prompt_is(deployed: dict[str, str], api: str, stream: bool) -> None:
    system = f"{TITLE} (3-7 words) that captures the main topic of this session."
    turn = {"role": "user", "content": "Design a sharded, multi-region payment ledger and prove that it is atomic."}
    bodies: dict[str, dict[str, Any]] = {
        "chat/completions": {"messages": [{"role": "system", "content": system}, turn]},
        "responses": {"instructions": system, "input": [turn]},
        "messages": {"system": system, "messages": [turn], "max_tokens": 16},
    }
    headers = _decided(deployed, api, bodies[api], stream)
    assert (headers["x-vibe-rule"], headers["x-vibe-pool"]) == ("background", "pool-chat-mini")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", ["chat/completions", "responses", "messages"])
def test_without_a_prompt_to_be_seen_the_safe_pool_serves(deployed: dict[str, str], api: str, stream: bool) -> None:
    reminder = "<system-reminder>It is Monday.</system-reminder>"
    turns = [{"role": "user", "content": reminder}]
    body: dict[str, Any] = {"input": turns} if api == "responses" else {"messages": turns, "max_tokens": 16}
    headers = _decided(deployed, api, body, stream)
    assert (headers["x-vibe-rule"], headers["x-vibe-pool"]) == ("no-prompt", "pool-chat-standard")
    assert headers["x-vibe-served-pool"] == "pool-chat-standard"


def _decided(settings: dict[str, str], api: str, body: dict[str, Any], stream: bool) -> dict[str, str]:
    key = {"authorization": f"Bearer {settings['OPENAI_API_KEY']}"}
    request = {"model": "chat-auto", "stream": stream, **body}
    answer = requests.post(f"{settings['OPENAI_BASE_URL']}/{api}", json=request, headers=key, timeout=90)
    assert answer.status_code == 200, answer.text
    return dict(answer.headers)
