"""What a human asked, from the turns of any endpoint's request body.

Ignored: system prompts and instructions, tool schemas, tool calls and their results, the assistant's text,
injected blocks, summaries of the conversation, images. Every function accepts any JSON shape and raises on none.
"""

from __future__ import annotations

from collections.abc import Iterable

from vibe.request.injected_blocks import is_summary, without_injected

# The call types that LiteLLM really sends (never "completion"), and the body's field that holds the conversation.
CHAT, RESPONSES, MESSAGES, COMPLETIONS = "acompletion", "aresponses", "anthropic_messages", "atext_completion"
WEBSOCKET = "_aresponses_websocket"
FIELD_OF_CALL_TYPE = {CHAT: "messages", MESSAGES: "messages", RESPONSES: "input", COMPLETIONS: "prompt"}
ROUTED_CALL_TYPES = frozenset((*FIELD_OF_CALL_TYPE, WEBSOCKET))
_TEXT_PARTS = ("text", "input_text")


def sole_prompt(conversation: object, call_type: str) -> str | None:
    """Return the prompt of a *conversation* that is a bare text or a batch of prompts; None for a list of turns."""
    if isinstance(conversation, str):
        return without_injected(conversation)
    if call_type == COMPLETIONS and isinstance(conversation, list):
        # A batch of prompts goes to one pool: it is as hard as all of them.
        return without_injected(_joined(item for item in conversation if isinstance(item, str)))
    return None


def prompt_in(turn: object) -> str:
    """Return the person's text in one message or item, "" if there is none."""
    text = _human_text(turn)
    return without_injected(text) if text else ""


def _human_text(item: object) -> str:
    # Responses allows bare parts ({"type": "input_text"}) as items of the input.
    if isinstance(item, str):
        return item
    if not isinstance(item, dict):
        return ""
    if item.get("role") == "user":
        return _content_text(item.get("content"))
    return _part_text(item) if "role" not in item and item.get("type") == "input_text" else ""


def _content_text(content: object) -> str:
    if isinstance(content, str):
        return "" if is_summary(content) else content
    return _joined(map(_part_text, content)) if isinstance(content, list) else ""


def _part_text(part: object) -> str:
    if isinstance(part, str):
        return part
    # tool_result and tool_use blocks of the Messages API are dropped here, with images and files.
    if not isinstance(part, dict) or part.get("type") not in _TEXT_PARTS:
        return ""
    text = part.get("text")
    return text if isinstance(text, str) and not is_summary(text) else ""


def _joined(texts: Iterable[str]) -> str:
    return "\n".join(text for text in texts if text)
