"""What a field of a request must look like: small checks, each a function from a value to what is wrong with it.

A check returns None for a good value, else the end of a sentence ("must be a string"). They guard what LiteLLM and the
router rely on (types, counts, names), not what a provider accepts: a temperature of 9 is the provider's to refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from vibe.routes.gate_settings import Limits

Check: TypeAlias = Callable[[object, Limits], str | None]


def text(value: object, limits: Limits) -> str | None:
    """A string of any length, such as instructions."""
    return None if isinstance(value, str) else "must be a string"


def name(value: object, limits: Limits) -> str | None:
    """A short string, such as an identifier."""
    if not isinstance(value, str):
        return "must be a string"
    if len(value) > limits.name_chars:
        return f"must not be longer than {limits.name_chars} characters (router_limits.name_chars)"
    return None


def flag(value: object, limits: Limits) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else "must be true or false"


def number(value: object, limits: Limits) -> str | None:
    """A number."""
    return None if isinstance(value, int | float) and not isinstance(value, bool) else "must be a number"


def whole(value: object, limits: Limits) -> str | None:
    """A whole number; some languages write one as 1024.0."""
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return None if is_whole and not isinstance(value, bool) else "must be a whole number"


def mapping(value: object, limits: Limits) -> str | None:
    """An object."""
    return None if isinstance(value, dict) else "must be an object"


def typed(value: object, limits: Limits) -> str | None:
    """An object with a type."""
    is_typed = isinstance(value, dict) and isinstance(value.get("type"), str)
    return None if is_typed else "must be an object with a type"


def names(value: object, limits: Limits) -> str | None:
    """A list of short strings."""
    if not isinstance(value, list):
        return "must be a list of strings"
    if len(value) > limits.names:
        return f"must not have more than {limits.names} entries (router_limits.names)"
    return next((f"entry {index} {fault}" for index, one in enumerate(value) if (fault := name(one, limits))), None)


def tools(value: object, limits: Limits) -> str | None:
    """A list of objects: tools, functions, servers."""
    return _objects(value, limits.tools, "tools")


def items(value: object, limits: Limits) -> str | None:
    """A list of objects, such as the edits of a context."""
    return _objects(value, limits.names, "names")


def either(*checks: Check) -> Check:
    """Accept what one of the *checks* accepts."""

    def check(value: object, limits: Limits) -> str | None:
        faults = [fault for one in checks if (fault := one(value, limits))]
        return faults[-1] if len(faults) == len(checks) else None

    return check


def messages(value: object, limits: Limits) -> str | None:
    """The messages of a chat: each an object with a role, its content text, parts or null."""
    if not isinstance(value, list):
        return "must be a list of messages"
    if len(value) > limits.messages:
        return _too_many(value, limits.messages, "messages")
    parts = 0
    for index, message in enumerate(value):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            return f"message {index} must be an object with a role"
        fault = _content_fault(message.get("content")) or _calls_fault(message.get("tool_calls"))
        if fault:
            return f"message {index}: {fault}"
        parts += _length(message.get("content")) + _length(message.get("tool_calls"))
    return _parts_excess(parts, limits)


def input_items(value: object, limits: Limits) -> str | None:
    """The input of the Responses API: text, or a list of items."""
    if isinstance(value, str):
        return None
    if not isinstance(value, list):
        return "must be a string or a list of items"
    if len(value) > limits.items:
        return _too_many(value, limits.items, "items")
    parts = 0
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            return f"item {index} must be an object"
        fault = _content_fault(item.get("content"))
        if fault:
            return f"item {index}: {fault}"
        parts += _length(item.get("content"))
    return _parts_excess(parts, limits)


def system(value: object, limits: Limits) -> str | None:
    """The system prompt of the Messages API: text, or blocks."""
    if isinstance(value, str):
        return None
    if not isinstance(value, list):
        return "must be a string or a list of blocks"
    return _parts_fault(value) or _parts_excess(len(value), limits)


def prompts(value: object, limits: Limits) -> str | None:
    """The prompt of a text completion, or the input of an embedding: text, tokens, or a list of either."""
    if isinstance(value, str):
        return None
    if not isinstance(value, list):
        return "must be a string, a list of strings, or a list of tokens"
    if all(type(one) is int for one in value):
        return None
    if len(value) > limits.messages:
        return _too_many(value, limits.messages, "messages")
    for index, one in enumerate(value):
        if isinstance(one, str) or (isinstance(one, list) and all(type(token) is int for token in one)):
            continue
        return f"entry {index} must be a string or a list of tokens"
    return None


def _objects(value: object, most: int, limit: str) -> str | None:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return "must be a list of objects"
    return f"must not have more than {most} entries (router_limits.{limit})" if len(value) > most else None


def _content_fault(content: object) -> str | None:
    if content is None or isinstance(content, str):
        return None
    return _parts_fault(content) if isinstance(content, list) else "its content must be a string or a list of parts"


def _calls_fault(calls: object) -> str | None:
    if calls is None or (isinstance(calls, list) and all(isinstance(call, dict) for call in calls)):
        return None
    return "its tool_calls must be a list of objects"


def _length(value: object) -> int:
    """Return how many parts *value* has; text has none."""
    return len(value) if isinstance(value, list) else 0


def _parts_fault(parts: list[object]) -> str | None:
    if all(isinstance(part, dict) for part in parts):
        return None
    return "its content must be a string or a list of objects"


def _too_many(value: list[object], most: int, limit: str) -> str:
    return f"must not have more than {most} entries (router_limits.{limit}), has {len(value)}"


def _parts_excess(parts: int, limits: Limits) -> str | None:
    if parts <= limits.parts:
        return None
    return f"must not have more than {limits.parts} content parts in all (router_limits.parts), has {parts}"
