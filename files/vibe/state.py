"""What is remembered of a conversation: names and numbers as JSON, without text. Read strictly: others write it too.

A state knows the ask that it was decided at, so that a turn that comes later continues from there, and a state that
belongs to another history is told apart. What continues an ask leaves the state at that ask.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass
from typing import TypeGuard

from vibe.dialogue import Dialogue
from vibe.verdict import CHEAP, STRONG

VERSION = 1
_MAX_CHARS = 1000
# An ask is told by its ends and its length.
_END_CHARS = 500


class StateError(ValueError):
    """What was remembered cannot be used; the message says why, without quoting it."""


@dataclass(frozen=True, slots=True)
class State:
    """``side``: CHEAP or STRONG; ``position`` and ``ask``: where in the dialogue it was decided, and of which ask."""

    side: str
    escalated: bool
    position: int
    ask: int

    def is_of(self, dialogue: Dialogue) -> bool:
        """Whether the ask that this was decided at stands in *dialogue*, at its place."""
        if self.position == dialogue.position:
            return self.ask == ask_number(dialogue.ask)
        return self.position < dialogue.position and self.ask == ask_number(dialogue.ask_at(self.position))

    def encoded(self) -> str:
        """Return the JSON text."""
        return json.dumps({"version": VERSION, **asdict(self)}, separators=(",", ":"))


def decoded(text: object) -> State:
    """Read a state from *text*.

    Raises:
        StateError: it is none, or of another version.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if not isinstance(text, str) or len(text) > _MAX_CHARS:
        raise StateError("is no text of ours")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise StateError("is not JSON") from None
    if not isinstance(found, dict):
        raise StateError("is no JSON object")
    if found.get("version") != VERSION:
        raise StateError("is of another version")
    side, escalated = found.get("side"), found.get("escalated")
    position, ask = found.get("position"), found.get("ask")
    if side not in (CHEAP, STRONG) or not isinstance(escalated, bool):
        raise StateError("has values of a wrong type")
    if not _is_count(position) or not _is_count(ask):
        raise StateError("has values of a wrong type")
    return State(side, escalated, position, ask)


def ask_number(ask: str | None) -> int:
    """Return a checksum that tells one ask from another, 0 for none."""
    if not ask:
        return 0
    told = ask if len(ask) <= 2 * _END_CHARS else f"{len(ask)} {ask[:_END_CHARS]} {ask[-_END_CHARS:]}"
    return zlib.crc32(told.encode("utf-8", "surrogatepass"))


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
