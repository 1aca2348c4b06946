"""Request bodies that no client should send: any JSON shape, wrong types, deep nesting, lone surrogates, long texts."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

CALL_TYPES = ("acompletion", "aresponses", "anthropic_messages", "atext_completion", "_aresponses_websocket")
MOST_NESTED, LONGEST = 900, 10_000_000
_TEXTS = st.text(st.characters(exclude_categories=()), max_size=40)
# Pieces that the plug-in looks for, alone and repeated until they are long.
PIECES = (
    *("<", "<system-reminder>", "</system-reminder>", "[[vibe:strong]]", "[[vibe:", "```", "\ud800", "设计", "😀", " "),
    *(
        "\n",
        "ok ",
        "that's wrong ",
        "exit code 1",
        "### Task:\n<chat_history>",
        "# AGENTS.md instructions for ",
        "no, ",
    ),
)
_REPEATED = st.builds(
    lambda piece, length: (piece * (length // len(piece) + 1))[:length],
    st.sampled_from(PIECES),
    st.sampled_from((1, 10, 100, 5000)),
)
_WORDS = st.lists(st.sampled_from(PIECES) | _TEXTS, max_size=6).map("".join)
TEXTS = _TEXTS | _REPEATED | _WORDS
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
_JSON: SearchStrategy[Any] = (
    _SCALARS | st.lists(_SCALARS, max_size=3) | st.dictionaries(st.text(max_size=8), _SCALARS, max_size=3)
)


def _nested(depth: int, in_list: bool) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value] if in_list else {"content": value}
    return value


_NESTED = st.builds(_nested, st.sampled_from((10, 100, MOST_NESTED)), st.booleans())
_ANY = _JSON | _NESTED
_PART_TYPES = ("text", "input_text", "tool_result", "tool_use", "image", "input_image", "function_call_output")
_PART = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(_PART_TYPES) | _ANY,
        "text": TEXTS | _ANY,
        "content": TEXTS | _ANY,
        "is_error": st.booleans() | _ANY,
        "tool_use_id": st.sampled_from(("a", "b")) | _ANY,
    },
)
_CALL = st.fixed_dictionaries(
    {"id": st.sampled_from(("a", "b")) | _ANY}, optional={"function": st.dictionaries(st.just("name"), _ANY) | _ANY}
)
_TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(("user", "assistant", "tool", "system", "developer")) | _ANY},
    optional={
        "content": TEXTS | st.lists(_PART | _ANY, max_size=3) | _ANY,
        "type": st.sampled_from(("function_call", "function_call_output", "message")) | _ANY,
        "tool_calls": st.lists(_CALL | _ANY, max_size=2) | _ANY,
        "tool_call_id": st.sampled_from(("a", "b")) | _ANY,
        "call_id": st.sampled_from(("a", "b")) | _ANY,
        "arguments": _ANY,
        "output": TEXTS | _ANY,
    },
)
_TURNS = st.lists(_TURN | _PART | _ANY, max_size=6) | TEXTS | _ANY
_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "x-vibe-choice": TEXTS | _ANY,
        "x-claude-code-session-id": TEXTS | _ANY,
        "x-claude-code-agent-id": TEXTS | _ANY,
        "thread-id": TEXTS | _ANY,
        "user-agent": st.just("claude-cli/2") | _ANY,
        "x-request-id": TEXTS | _ANY,
    },
)
_METADATA = st.fixed_dictionaries({}, optional={"vibe_choice": TEXTS | _ANY, "session_id": TEXTS | _ANY}) | _ANY
BODIES: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"model": st.just("chat-auto")},
    optional={
        "messages": _TURNS,
        "input": _TURNS,
        "prompt": TEXTS | st.lists(TEXTS | st.integers(), max_size=3) | _ANY,
        "first_message": TEXTS | _ANY,
        "system": TEXTS | _ANY,
        "instructions": TEXTS | _ANY,
        "tools": st.lists(_PART | _CALL | _ANY, max_size=3) | _ANY,
        "previous_response_id": TEXTS | _ANY,
        "conversation": _ANY,
        "prompt_cache_key": TEXTS | _ANY,
        "max_tokens": st.just(1) | _ANY,
        "response_format": _ANY,
        "metadata": _METADATA,
        "litellm_metadata": _METADATA,
        "litellm_call_id": _ANY,
        "proxy_server_request": st.fixed_dictionaries({"headers": _HEADERS | _ANY}) | _ANY,
    },
)
