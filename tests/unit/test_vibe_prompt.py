"""Only the last human prompt is scored, in the body of every endpoint."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from vibe.request.injected_blocks import INJECTED_TAGS, without_injected
from vibe.request.request import read_request

PROMPT = "Rename this variable, please"
LINEAR_SECONDS = 3.0


def _user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("chat string", "acompletion", {"messages": [{"role": "system", "content": "Prove it"}, _user(PROMPT)]}),
    ("chat parts", "acompletion", {"messages": [_user([{"type": "text", "text": PROMPT}, {"type": "image_url"}])]}),
    (
        "chat tool loop",
        "acompletion",
        {
            "messages": [
                _user("an earlier prompt"),
                {"role": "assistant", "content": "done"},
                _user(PROMPT),
                {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
                {"role": "tool", "tool_call_id": "1", "content": "Traceback: prove the theorem"},
            ]
        },
    ),
    ("responses string", "aresponses", {"input": PROMPT, "instructions": "Design it"}),
    (
        "responses items",
        "aresponses",
        {
            "input": [
                {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be formal"}]},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": PROMPT}]},
                {"type": "function_call", "name": "shell", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "1", "output": "prove the theorem"},
            ]
        },
    ),
    ("responses short items", "aresponses", {"input": [_user(PROMPT)]}),
    ("responses bare part", "aresponses", {"input": [{"type": "input_text", "text": PROMPT}]}),
    (
        "messages tool result beside",
        "anthropic_messages",
        {
            "system": [{"type": "text", "text": "Prove it"}],
            "messages": [
                _user([{"type": "text", "text": PROMPT}]),
                {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "x", "input": {}}]},
                _user([{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "no"}]}]),
            ],
        },
    ),
    ("legacy prompt", "atext_completion", {"prompt": PROMPT}),
    ("legacy batch", "atext_completion", {"prompt": [PROMPT]}),
    (
        "injected message after the prompt",
        "aresponses",
        {"input": [_user(PROMPT), _user("<environment_context>\n  <cwd>/x</cwd>\n</environment_context>")]},
    ),
    (
        "websocket flat",
        "_aresponses_websocket",
        {"first_message": json.dumps({"type": "response.create", "model": "chat-auto", "input": PROMPT})},
    ),
    (
        "websocket nested",
        "_aresponses_websocket",
        {"first_message": json.dumps({"type": "response.create", "response": {"input": [_user(PROMPT)]}})},
    ),
]


@pytest.mark.parametrize(("call_type", "body"), [body[1:] for body in BODIES], ids=[body[0] for body in BODIES])
def test_the_prompt_is_found_in_every_shape(call_type: str, body: dict[str, Any]) -> None:
    assert read_request(body, call_type).prompt == PROMPT


@pytest.mark.parametrize(
    ("call_type", "body"),
    [
        ("acompletion", {}),
        ("acompletion", {"messages": None}),
        (
            "acompletion",
            {"messages": [None, 7, "", {"role": "user"}, _user(7), _user([None, {"type": "text", "text": 1}])]},
        ),
        ("aresponses", {"input": [{"type": "function_call_output", "output": "ok"}], "previous_response_id": "r"}),
        ("aresponses", {"input": ""}),
        ("atext_completion", {"prompt": [1, 2, 3]}),
        ("atext_completion", {"prompt": [[1], [2]]}),
        ("anthropic_messages", {"messages": [_user([{"type": "tool_result", "content": "x"}])]}),
        ("_aresponses_websocket", {"first_message": "{"}),
        ("_aresponses_websocket", {"first_message": "[" * 100_000}),
        ("_aresponses_websocket", {}),
        ("acompletion", {"messages": [_user("<system-reminder>x</system-reminder>")]}),
    ],
)
def test_a_body_without_a_human_prompt_gives_none(call_type: str, body: dict[str, Any]) -> None:
    assert read_request(body, call_type).prompt is None


@pytest.mark.parametrize("tag", INJECTED_TAGS)
def test_every_injected_block_is_removed(tag: str) -> None:
    block = f"<{tag}>\nDesign and prove a distributed theorem\n</{tag}>"
    assert without_injected(f"{block}\n{PROMPT}") == PROMPT
    assert without_injected(f"{PROMPT}\n{block}{block}") == PROMPT


def test_instruction_files_of_codex_are_removed_with_their_heading() -> None:
    assert without_injected("# AGENTS.md instructions for /srv/app\n\n<INSTRUCTIONS>\nx\n</INSTRUCTIONS>") == ""


@pytest.mark.parametrize(
    "text", ["What does <system-reminder> do?", "a < b and <b>bold</b>", "</system-reminder> alone"]
)
def test_a_tag_that_the_person_wrote_stays(text: str) -> None:
    assert without_injected(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "<system-reminder>" * 60_000,
        "<" * 1_000_000,
        "<ide_selection " * 60_000,
        "<system-reminder></system-reminder>" * 30_000,
    ],
    ids=["unclosed", "angle brackets", "half opened", "many blocks"],
)
def test_hostile_text_costs_linear_time(text: str) -> None:
    start = time.thread_time()
    without_injected(text)
    # A quadratic search takes minutes on these.
    assert time.thread_time() - start < LINEAR_SECONDS
