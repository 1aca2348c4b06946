"""The state of a conversation: names and numbers as JSON, without text. Read strictly: others write it too.

A state identifies the prompt that it was decided at, so that a later turn continues from there and a state of another
history is recognized. A continuation of a prompt leaves the state at that prompt.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TypeGuard

from vibe.memory.verdict import CHEAP, STRONG
from vibe.request.turns import Dialogue

VERSION = 1
# Precision of the time of the last turn.
AT_SECONDS = 30
# The time of a turn that is unknown, but too long ago for a provider to have anything cached.
LONG_AGO = 1
_MAX_CHARS = 1000
# A long prompt is identified by its two ends and its length.
_END_CHARS = 500
# The name in Redis: an older release, which runs beside this one during a rollout, reads and writes it.
_PROMPT_KEY = "ask"


class StateError(ValueError):
    """The saved state cannot be used; the message says why, without quoting it."""


@dataclass(frozen=True, slots=True)
class State:
    """``side``: CHEAP or STRONG; ``position``: that of the deciding turn; ``prompt``: the checksum of its text.

    ``at``: when a turn last came, in seconds since 1970, to ``AT_SECONDS``; 0 unknown. ``left_at``: when the last
    turn on the other side came, 0 never; ``left_tokens``: that the conversation had then, for that pool's cache.
    """

    side: str
    escalated: bool
    position: int
    prompt: int
    at: int = 0
    left_at: int = 0
    left_tokens: int = 0

    @property
    def was_strong(self) -> bool:
        """Whether the conversation came down from the strong side."""
        return self.side == CHEAP and self.left_at > 0

    def is_of(self, dialogue: Dialogue) -> bool:
        """Whether the prompt that this was decided at is in *dialogue*, at its position."""
        if self.position == dialogue.position:
            return self.prompt == prompt_number(dialogue.prompt)
        return self.position < dialogue.position and self.prompt == prompt_number(dialogue.prompt_at(self.position))

    def warm(self, at: float, prefix: float, life: float) -> tuple[float, float]:
        """Return how many of *prefix* tokens this side has in its cache *at* that time, and how many the other.

        *life*: seconds after a turn for which a provider keeps what it read. An unknown time counts as now.
        """
        here = prefix if not self.at or at - self.at < life else 0.0
        there = float(self.left_tokens) if self.left_at and at - self.left_at < life else 0.0
        return here, there

    def moved(self, side: str) -> State:
        """Return this state on *side*; what the other side has cached is then unknown."""
        return self if side == self.side else replace(self, side=side, left_at=self.at or LONG_AGO, left_tokens=0)

    def came(self, at: float, before: State | None, prefix: Callable[[], float]) -> State:
        """Return this state with its times updated by a turn *at* that time; *before* is the previous state.

        *prefix* gives the tokens that the conversation had before the turn; called only if the side changed.
        """
        now = int(at)
        if before is not None and before.side != self.side:
            return replace(self, at=now, left_at=before.at or now, left_tokens=int(prefix()))
        # Not with every turn: each change is a write to Redis.
        return self if 0 <= now - self.at < AT_SECONDS else replace(self, at=now)

    def encoded(self) -> str:
        """Return the JSON text."""
        fields = asdict(self)
        fields[_PROMPT_KEY] = fields.pop("prompt")
        return json.dumps({"version": VERSION, **fields}, separators=(",", ":"))


def decoded(text: object) -> State:
    """Read a state from *text*.

    Raises:
        StateError: it is not a state, or is of another version.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if not isinstance(text, str) or len(text) > _MAX_CHARS:
        raise StateError("was not written by this toolkit")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise StateError("is not JSON") from None
    if not isinstance(found, dict):
        raise StateError("is not a JSON object")
    if found.get("version") != VERSION:
        raise StateError("is of another version")
    side, escalated = found.get("side"), found.get("escalated")
    position, prompt = found.get("position"), found.get(_PROMPT_KEY)
    if side not in (CHEAP, STRONG) or not isinstance(escalated, bool):
        raise StateError("has values of a wrong type")
    if not _is_count(position) or not _is_count(prompt):
        raise StateError("has values of a wrong type")
    # A router of an older release, which runs beside this one during a rollout, does not write these.
    newer = [found.get(key, 0) for key in ("at", "left_at", "left_tokens")]
    if not all(map(_is_count, newer)):
        raise StateError("has values of a wrong type")
    return State(side, escalated, position, prompt, *newer)


def prompt_number(prompt: str | None) -> int:
    """Return a checksum that tells one prompt from another, 0 for none."""
    if not prompt:
        return 0
    told = prompt if len(prompt) <= 2 * _END_CHARS else f"{len(prompt)} {prompt[:_END_CHARS]} {prompt[-_END_CHARS:]}"
    return zlib.crc32(told.encode("utf-8", "surrogatepass"))


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
