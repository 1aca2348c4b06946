"""Which conversation a request belongs to: by the client's own identifier, else by what stays the same in it.

Identifiers are those of Claude Code and Codex CLI (recorded: tests/fixtures/clients), of Open WebUI, opencode and
LiteLLM (from their documentation), and the Responses API's ``conversation``. Without one, a digest of the tools' names
and the opening prompt identifies the conversation; the first answer distinguishes it from others with the same opening.
Many conversations often share a ``prompt_cache_key``: it is part of that digest. The owner of the API key and the
virtual model are part of every key, so customers never share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from vibe.request.turns import Dialogue

CLAUDE_CODE_SESSION, _CLAUDE_CODE_AGENT = "x-claude-code-session-id", "x-claude-code-agent-id"
# The narrowest first: a thread of Codex is one of perhaps several in a session.
_HEADERS = (
    CLAUDE_CODE_SESSION,
    "thread-id",
    "session-id",
    "x-session-id",
    "x-litellm-session-id",
    "x-openwebui-chat-id",
    "x-session-affinity",
)
_FIELDS = ("session_id", "litellm_session_id")
_USABLE = re.compile(r"[!-~]{1,200}")
# 128 bits: no two conversations meet by chance. The short form is for people who read headers and log lines.
_DIGEST_BYTES, SHORT_CHARS = 16, 12
# The opening prompt is identified by its two ends and its length: reading all of a pasted file would cost too much.
_END_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Conversation:
    """``key``: a digest, in hexadecimal, by which its state is kept; ``short``: one for headers and log lines.

    ``is_named``: the client named it, so it outlives a shortened history.
    """

    key: str
    short: str
    is_named: bool


def conversation_of(
    body: Mapping[str, object], headers: Mapping[str, object], dialogue: Dialogue, owner: str
) -> tuple[Conversation | None, tuple[str, ...]]:
    """Return the conversation of a request, None if it has none, and notes on what was ignored.

    *owner* is the API key's, as a digest or a name. The virtual model is part of the key.
    """
    ignored: list[str] = []
    model = str(body.get("model"))
    for place, named in _identifiers(body, headers):
        if isinstance(named, str) and _USABLE.fullmatch(named):
            agent = headers.get(_CLAUDE_CODE_AGENT) if place == CLAUDE_CODE_SESSION else None
            key = _digest(owner, model, place, named, str(agent))
            return Conversation(key, key[:SHORT_CHARS], is_named=True), tuple(ignored)
        # Its text is not logged: it is the client's.
        ignored.append(f"{place} is no identifier")
    position, opening = _opening(dialogue)
    if not opening:
        return None, tuple(ignored)
    told = (_shortened(opening), str(body.get("prompt_cache_key")), *_tool_names(body.get("tools")))
    key = _digest(owner, model, *told)
    short = key[:SHORT_CHARS]
    if position + 1 < len(dialogue.turns):
        back = "".join(_first_back([dialogue.turns[position + 1]]))
        key = _digest(key, _shortened(back))
    return Conversation(key, short, is_named=False), tuple(ignored)


def _identifiers(body: Mapping[str, object], headers: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for header in _HEADERS:
        if header in headers:
            yield header, headers[header]
    metadata = body.get("metadata")
    for holder in (body, metadata if isinstance(metadata, dict) else {}):
        for field in _FIELDS:
            if holder.get(field) is not None:
                yield field, holder[field]
    conversation = body.get("conversation")
    if conversation is not None:
        yield "conversation", conversation.get("id") if isinstance(conversation, dict) else conversation


def _opening(dialogue: Dialogue) -> tuple[int, str]:
    """Return position and text of the first prompt of a whole dialogue, "" if the turns lack it."""
    if not dialogue.whole or not dialogue.turns:
        return 0, ""
    for position in range(dialogue.position):
        text = dialogue.prompt_at(position)
        if text:
            return position, text
    return dialogue.position, dialogue.prompt or ""


def _first_back(turns: list[object]) -> Iterator[str]:
    """Yield what distinguishes the turn after the opening: texts, and the identifiers of calls."""
    for turn in turns:
        if isinstance(turn, str):
            yield turn
        elif isinstance(turn, dict):
            yield from (turn[key] for key in ("text", "id", "call_id") if isinstance(turn.get(key), str))
            for inner in map(turn.get, ("content", "tool_calls")):
                yield from _first_back(inner if isinstance(inner, list) else [inner])


def _shortened(text: str) -> str:
    return text if len(text) <= 2 * _END_CHARS else f"{len(text)} {text[:_END_CHARS]} {text[-_END_CHARS:]}"


def _tool_names(tools: object) -> Iterator[str]:
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict):
            function = tool.get("function")
            name = function.get("name") if isinstance(function, dict) else tool.get("name", tool.get("type"))
            if isinstance(name, str):
                yield name


def _digest(*parts: str) -> str:
    # A NUL between the parts: no header or JSON key contains one by accident.
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
