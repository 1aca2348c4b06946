"""The kind of a turn: what a person asked, or what the client does by itself beside the conversation.

Recognised by what the clients send:

* **title**: Claude Code's session title has no tools and a system block of its own (recorded: tests/fixtures/clients);
  opencode's likewise; Open WebUI's titles, tags and follow-up questions come as a user message that quotes the whole
  conversation (both from their public prompt templates, not recorded).
* **probe**: Claude Code asks for a single token to see whether a model answers (not recorded; Wei-Shaw/sub2api 6838).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vibe.request.conversation_id import CLAUDE_CODE_SESSION

MAIN, TITLE, PROBE = "main", "title", "probe"

# How the system prompts of title turns begin: Claude Code, opencode.
_TITLE_SYSTEMS = ("Generate a concise, sentence-case title", "You are a title generator")
# Open WebUI: every task of its own begins with the first and quotes the conversation in the second.
_TASK_HEADING, _TASK_CONVERSATION = "### Task:", "<chat_history>"
# Beginnings are looked for in so many blocks; Claude Code's title prompt is the third.
_SYSTEM_BLOCKS = 4
_CLAUDE_CODE_AGENT = "claude-cli/"


def turn_of(body: Mapping[str, object], headers: Mapping[str, object], prompt: str | None) -> str:
    """Return the kind of turn that *body* is, sent with *headers*; *prompt* is its last human prompt."""
    if body.get("max_tokens") == 1 and _is_claude_code(headers):
        return PROBE
    if prompt is not None and prompt.startswith(_TASK_HEADING) and _TASK_CONVERSATION in prompt:
        return TITLE
    # A turn with tools is work: their authors may write what they like into a system prompt.
    if not body.get("tools") and any(text.lstrip().startswith(_TITLE_SYSTEMS) for text in _system_texts(body)):
        return TITLE
    return MAIN


def _is_claude_code(headers: Mapping[str, object]) -> bool:
    agent = headers.get("user-agent")
    return CLAUDE_CODE_SESSION in headers or (isinstance(agent, str) and agent.startswith(_CLAUDE_CODE_AGENT))


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
