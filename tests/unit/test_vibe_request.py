"""One view of a request: recorded requests of Claude Code and Codex CLI, and known ones of other clients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibe.request.housekeeping import TITLE
from vibe.request.injected_blocks import INJECTED_TAGS
from vibe.request.request import read_request
from vibe.request.turn_kind import MAIN, PROBE
from vibe.scoring.scorer import load_prior
from vibe_fixtures import BACKGROUND_TURNS, HARD, HI

RECORDED = Path(__file__).resolve().parents[1] / "fixtures/clients"
CALL_TYPES = {"/v1/messages?beta=true": "anthropic_messages", "/v1/responses": "aresponses"}
SCORER = load_prior()
CLAUDE_CODE = {"user-agent": "claude-cli/2.1.332 (external, cli)", "x-claude-code-session-id": "157ae101"}
TITLE_SYSTEM = "Generate a concise, sentence-case title (3-7 words) that captures the main topic of this session."


def _recorded() -> list[Any]:
    found = []
    # Clients with known background turns.
    for path in sorted([*RECORDED.glob("claude-code/*.json"), *RECORDED.glob("codex/*.json")]):
        for index, sent in enumerate(json.loads(path.read_text(encoding="utf-8"))):
            if sent["method"] == "POST":
                name = f"{path.parent.name}/{path.stem}-{index}"
                data = sent["body"] | {"proxy_server_request": {"headers": sent["headers"]}}
                kind = BACKGROUND_TURNS.get(name, MAIN)
                found.append(pytest.param(data, CALL_TYPES[sent["path"]], kind, id=name))
    return found


@pytest.mark.parametrize(("data", "call_type", "kind"), _recorded())
def test_a_recorded_turn_is_what_it_was(data: dict[str, Any], call_type: str, kind: str) -> None:
    request = read_request(data, call_type)
    assert request.turn == kind
    assert request.prompt is not None
    assert "system-reminder" not in request.prompt
    assert "AGENTS.md" not in request.prompt
    # Recorded human prompts are short: a longer text is the client's.
    assert len(request.prompt) < 60 or kind != MAIN


def test_each_kind_of_turn_was_recorded() -> None:
    kinds = [case.values[2] for case in _recorded()]
    assert sorted(kind for kind in kinds if kind != MAIN) == sorted(BACKGROUND_TURNS.values())
    assert kinds.count(MAIN) >= 15


def _messages(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


def _sent_by(client: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    return body | {"proxy_server_request": {"headers": client}}


TASK = f"### Task:\nGenerate a concise, 3-5 word title with an emoji.\n<chat_history>\nUSER: {HARD}\n</chat_history>"
OPENCODE = {"role": "system", "content": "You are a title generator. You output ONLY a thread title."}


@pytest.mark.parametrize(
    ("data", "call_type", "turn"),
    [
        (_messages(HARD, system=TITLE_SYSTEM), "anthropic_messages", TITLE),
        (_messages(HARD, system=[{"type": "text", "text": TITLE_SYSTEM}]), "anthropic_messages", TITLE),
        ({"input": HARD, "instructions": TITLE_SYSTEM}, "aresponses", TITLE),
        ({"messages": [OPENCODE, {"role": "user", "content": HARD}]}, "acompletion", TITLE),
        (_messages(TASK), "acompletion", TITLE),
        (_sent_by(CLAUDE_CODE, _messages("quota", max_tokens=1)), "anthropic_messages", PROBE),
        (_sent_by({"user-agent": "claude-cli/2.1"}, _messages("count", max_tokens=1)), "anthropic_messages", PROBE),
        # A lookalike.
        (_messages(HARD, system=TITLE_SYSTEM, tools=[{"name": "ls"}]), "anthropic_messages", MAIN),
        (_messages(f"{TITLE_SYSTEM} {HARD}"), "anthropic_messages", MAIN),
        (_messages("### Task:\nGenerate a proof."), "acompletion", MAIN),
        (_messages(HARD, max_tokens=1), "anthropic_messages", MAIN),
        (_sent_by({"user-agent": "curl/8"}, _messages(HARD, max_tokens=1)), "anthropic_messages", MAIN),
        (_sent_by(CLAUDE_CODE, _messages(HARD, max_tokens=2)), "anthropic_messages", MAIN),
        (_messages(HARD, system=7), "anthropic_messages", MAIN),
        (_messages(HARD, system=[None, 7, {"text": 8}]), "anthropic_messages", MAIN),
        ({"messages": [None]}, "acompletion", MAIN),
        ({"messages": [{"role": "system", "content": [[]]}]}, "acompletion", MAIN),
        ({"proxy_server_request": {"headers": 5}, "input": "hi"}, "aresponses", MAIN),
        ({"proxy_server_request": 5, "max_tokens": 1}, "anthropic_messages", MAIN),
    ],
)
def test_the_kind_of_a_turn(data: dict[str, Any], call_type: str, turn: str) -> None:
    assert read_request(data, call_type).turn == turn


@given(
    prompt=st.sampled_from((HI, HARD, "Translate 'good morning' to French", "你好")),
    tag=st.sampled_from([tag for tag in INJECTED_TAGS if " " not in tag]),
    context=st.text(max_size=400).filter(lambda text: "<" not in text),
    before=st.booleans(),
    system=st.text(max_size=200),
)
def test_injected_context_never_changes_a_score(prompt: str, tag: str, context: str, before: bool, system: str) -> None:
    block = f"<{tag}>{context} {HARD}</{tag}>"
    plain = read_request(_messages(prompt), "anthropic_messages")
    parts = [{"type": "text", "text": text} for text in ((block, prompt) if before else (prompt, block))]
    wrapped = {
        "system": system,
        "messages": [{"role": "user", "content": parts}, {"role": "system", "content": f"{system} {HARD}"}],
        "tools": [{"name": "prove", "description": HARD}],
    }
    seen = read_request(wrapped, "anthropic_messages")
    assert seen.prompt is not None and plain.prompt is not None
    assert SCORER.score(seen.prompt).raw == SCORER.score(plain.prompt).raw
