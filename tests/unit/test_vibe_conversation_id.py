"""Which requests are one conversation: by the client's identifier, else by what stays the same; never two clients'."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from vibe.request.conversation_id import Conversation
from vibe.request.request import read_request
from vibe_fixtures import HARD, HI

RECORDED = Path(__file__).resolve().parents[1] / "fixtures/clients"
CALL_TYPES = {"/v1/messages?beta=true": "anthropic_messages", "/v1/responses": "aresponses"}


def _key(data: dict[str, Any], call_type: str = "acompletion", owner: str = "one") -> str:
    conversation = read_request(data, call_type, owner).conversation
    assert conversation is not None
    return conversation.key


def _short(data: dict[str, Any]) -> str:
    conversation = read_request(data, "acompletion", "one").conversation
    assert conversation is not None
    return conversation.short


def _user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


ANSWER = {"role": "assistant", "content": "An answer."}
OPENING = {"model": "chat-auto", "messages": [_user(HARD)]}


def _later(*texts: str, **more: Any) -> dict[str, Any]:
    return OPENING | {"messages": [_user(HARD), *(turn for text in texts for turn in (ANSWER, _user(text)))]} | more


def _with_headers(data: dict[str, Any], **headers: Any) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return data | {"proxy_server_request": {"headers": named}}


def _recorded(path: str) -> list[Conversation | None]:
    found = []
    for sent in json.loads((RECORDED / path).read_text(encoding="utf-8")):
        if sent["method"] == "POST":
            data = sent["body"] | {"proxy_server_request": {"headers": sent["headers"]}}
            found.append(read_request(data, CALL_TYPES[sent["path"]], "one").conversation)
    return found


@pytest.mark.parametrize("path", sorted(str(path.relative_to(RECORDED)) for path in RECORDED.glob("c*/*.json")))
def test_a_recorded_session_is_one_conversation_and_its_titles_are_none(path: str) -> None:
    found = _recorded(path)
    keys = {conversation.key for conversation in found if conversation is not None}
    assert len(keys) == (2 if "sub-agent" in path else 1)
    assert all(conversation.is_named for conversation in found if conversation is not None)


def test_a_sub_agent_is_a_conversation_of_its_own() -> None:
    found = [conversation.key for conversation in _recorded("claude-code/sub-agent.json") if conversation]
    assert len(found) >= 3
    # The parent continues after it.
    assert found[0] == found[-1]


def test_without_an_identifier_the_opening_tells_one_conversation_from_another() -> None:
    assert _short(OPENING) == _short(_later("ok", "go on"))
    assert _key(_later("ok")) == _key(_later("ok", "go on"))
    assert _key(OPENING) != _key(OPENING | {"messages": [_user(HI)]})
    other = _later("ok")
    other["messages"][1] = {"role": "assistant", "content": "Another answer."}
    assert _key(_later("ok")) != _key(other)
    assert not getattr(read_request(OPENING, "acompletion").conversation, "is_named", True)


def test_cache_marks_and_injected_context_do_not_make_another_conversation() -> None:
    marked = {"type": "text", "text": HARD, "cache_control": {"type": "ephemeral"}}
    reminder = {"type": "text", "text": "<system-reminder>today is Monday</system-reminder>"}
    assert _key(OPENING) == _key(OPENING | {"messages": [_user([marked])]})
    assert _key(OPENING) == _key(OPENING | {"messages": [_user([reminder, marked])]})


@pytest.mark.parametrize(
    "other",
    [
        {"model": "codex-auto"},
        {"tools": [{"type": "function", "function": {"name": "ls"}}]},
        {"prompt_cache_key": "theirs"},
    ],
)
def test_another_model_other_tools_or_another_cache_key_make_another_conversation(other: dict[str, Any]) -> None:
    assert _key(OPENING) != _key(OPENING | other)


def test_one_cache_key_for_many_conversations_does_not_join_them() -> None:
    shared = {"prompt_cache_key": "the app's"}
    assert _key(OPENING | shared) != _key(OPENING | {"messages": [_user(HI)]} | shared)


@pytest.mark.parametrize("named", [False, True], ids=["by its opening", "by its identifier"])
def test_two_customers_never_share(named: bool) -> None:
    data = _with_headers(OPENING, x_session_id="1") if named else OPENING
    assert _key(data, owner="one") != _key(data, owner="two")


@pytest.mark.parametrize(
    "header",
    [
        "x_claude_code_session_id",
        "session_id",
        "thread_id",
        "x_session_id",
        "x_openwebui_chat_id",
        "x_session_affinity",
    ],
)
def test_the_clients_identifier_names_the_conversation(header: str) -> None:
    one = _with_headers(OPENING, **{header: "one"})
    compacted = _with_headers(OPENING | {"messages": [_user("A summary.")]}, **{header: "one"})
    assert _key(one) == _key(compacted)
    assert _key(one) != _key(_with_headers(OPENING, **{header: "two"}))


@pytest.mark.parametrize(
    "field", [{"session_id": "1"}, {"metadata": {"session_id": "1"}}, {"conversation": {"id": "1"}}]
)
def test_an_identifier_in_the_body_counts_too(field: dict[str, Any]) -> None:
    conversation = read_request({"input": HI, **field}, "aresponses").conversation
    assert conversation is not None
    assert conversation.is_named


@pytest.mark.parametrize("bad", ["", "a\nforged: line", "x" * 10_000, "ünïcode", 7, ["x"], None])
def test_a_bad_identifier_is_ignored_and_said(bad: Any) -> None:
    request = read_request(_with_headers(OPENING, x_session_id=bad), "acompletion", "one")
    assert request.conversation is not None
    assert request.conversation.key == _key(OPENING)
    assert request.notes == ("x-session-id is no identifier",)


@pytest.mark.parametrize(
    ("data", "call_type"),
    [
        ({"prompt": HARD}, "atext_completion"),
        ({"input": HARD}, "aresponses"),
        ({"messages": []}, "acompletion"),
        ({"input": [_user(HI)], "previous_response_id": "resp_1"}, "aresponses"),
    ],
)
def test_what_has_no_turns_to_be_told_by_is_no_conversation(data: dict[str, Any], call_type: str) -> None:
    assert read_request(data, call_type).conversation is None


def test_reading_a_request_changes_nothing_in_it() -> None:
    data = _with_headers(_later("ok"), x_session_id="1")
    before = copy.deepcopy(data)
    read_request(data, "acompletion", "one")
    assert data == before
