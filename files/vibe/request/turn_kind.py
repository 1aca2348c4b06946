"""The kind of a turn: a person's question, or a request of the client itself beside the conversation.

Recognised by the client's own headers, by what is asked (``housekeeping``), and by the form of the request:

* A turn with tools is work, whatever its system prompt says: applications write anything there.
* Codex states a turn's purpose in ``x-codex-turn-metadata``.
* Claude Code asks for a single token to see whether a model answers (Wei-Shaw/sub2api 6838).
* Open WebUI begins each task of its own with ``### Task:`` and quotes the conversation (its public templates).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from vibe.request.conversation_id import CLAUDE_CODE_SESSION
from vibe.request.housekeeping import COMPACTION, TITLE, purpose_of_prompt, purpose_of_system, purpose_of_turn

MAIN, PROBE = "main", "probe"

_TASK_HEADING, _TASK_CONVERSATION = "### Task:", "<chat_history>"
# Purposes are searched in so many blocks; Claude Code's title prompt is the third.
_SYSTEM_BLOCKS = 4
_CLAUDE_CODE_AGENT = "claude-cli/"
_CODEX_TURN = "x-codex-turn-metadata"
_CODEX_KINDS = {("thread_source", "thread_title"): TITLE, ("request_kind", "compaction"): COMPACTION}
_MOST_METADATA_CHARS = 10_000
_MOST_TOKENS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
# Where the schema of an answer is, in each API.
_SCHEMAS = (
    ("response_format", "json_schema", "schema"),
    ("output_config", "format", "schema"),
    ("output_format", "schema"),
    ("text", "format", "schema"),
)


def turn_of(body: Mapping[str, object], headers: Mapping[str, object], prompt: str | None, *, is_opening: bool) -> str:
    """Return the kind of turn that *body* is, sent with *headers*: ``MAIN``, ``PROBE``, or a purpose.

    *prompt* is its last human prompt; *is_opening*: nothing was answered before it.
    """
    if body.get("max_tokens") == 1 and _is_claude_code(headers):
        return PROBE
    stated = _stated_by_codex(headers)
    if stated is not None:
        return stated
    purpose = None if prompt is None else purpose_of_turn(prompt, is_opening=is_opening)
    if purpose is not None:
        return purpose
    if prompt is not None and prompt.startswith(_TASK_HEADING) and _TASK_CONVERSATION in prompt:
        return purpose_of_prompt(prompt, frozenset(), None) or TITLE
    if body.get("tools"):
        return MAIN
    for text in _system_texts(body):
        purpose = purpose_of_system(text)
        if purpose is not None:
            return purpose
    purpose = None if prompt is None else purpose_of_prompt(prompt, _properties(body), _most_tokens(body))
    return purpose or MAIN


def _is_claude_code(headers: Mapping[str, object]) -> bool:
    agent = headers.get("user-agent")
    return CLAUDE_CODE_SESSION in headers or (isinstance(agent, str) and agent.startswith(_CLAUDE_CODE_AGENT))


def _stated_by_codex(headers: Mapping[str, object]) -> str | None:
    text = headers.get(_CODEX_TURN)
    if not isinstance(text, str) or len(text) > _MOST_METADATA_CHARS:
        return None
    try:
        stated = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(stated, dict):
        return None
    return next((kind for (key, value), kind in _CODEX_KINDS.items() if stated.get(key) == value), None)


def _properties(body: Mapping[str, object]) -> frozenset[str]:
    """Return the names of the properties that the answer is to have, none where it has no schema."""
    for path in _SCHEMAS:
        found: object = body
        for key in (*path, "properties"):
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return frozenset(map(str, found))
    return frozenset()


def _most_tokens(body: Mapping[str, object]) -> int | None:
    """Return how many tokens the answer may have, None if not set."""
    found = map(body.get, _MOST_TOKENS)
    return next((most for most in found if isinstance(most, int) and not isinstance(most, bool)), None)


def _system_texts(body: Mapping[str, object]) -> Iterator[str]:
    """Yield the first texts that the client's program wrote: system, instructions, leading system messages."""
    for key in ("system", "instructions"):
        yield from _texts(body.get(key))
    for key in ("messages", "input"):
        turns = body.get(key)
        first = turns[0] if isinstance(turns, list) and turns else None
        if isinstance(first, dict) and first.get("role") in ("system", "developer"):
            yield from _texts(first.get("content"))


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for block in content[:_SYSTEM_BLOCKS]:
            text = block.get("text") if isinstance(block, dict) else block
            if isinstance(text, str):
                yield text
