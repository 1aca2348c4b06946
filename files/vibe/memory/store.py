"""Where the states of conversations are kept: one small interface, and the form that needs nothing but memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from vibe.memory.conversation_state import State

# What a worker remembers by itself; the conversation that was idle for longest is forgotten first.
MOST_CONVERSATIONS = 10_000
# A conversation that nobody went on with for a week starts again.
KEEP_SECONDS = 7 * 24 * 3600
# Who judged an answer: a client, or a conversation that escalated, which counts as a failure.
BY_CLIENT, BY_ESCALATION = "client", "escalation"
# What came of a judgement.
NOTED, UNKNOWN, TWICE, AWAY = "noted", "unknown", "twice", "away"


class Store(Protocol):
    """Keeps one state a conversation."""

    async def get(self, key: str) -> tuple[State | None, str]:
        """Return the state kept under *key*, if any, and "" or, in words, why what was found is of no use."""

    def put(self, key: str, state: State) -> None:
        """Keep *state* under *key*; returns at once, whatever the store does then."""

    def shift(self, key: str, start: float, step: float, heard: Callable[[float], None]) -> None:
        """Add *step* to the number under *key*, which begins at *start*; *heard* gets the new one, now or later."""

    def keep(self, call_id: str, entry: str, most: int, conversation: str | None) -> None:
        """Keep *entry* under *call_id*, of which *most* stay, as the *conversation*'s last; returns at once."""

    def blame(self, conversation: str, most: int) -> None:
        """Keep, of which *most* stay, that the last entry of the *conversation* came to no good; returns at once."""

    async def judge(self, call_id: str, outcome: str, most: int) -> str:
        """Keep *outcome*, of which *most* stay, for the entry under *call_id*; return what came of it."""


class MemoryStore:
    """States in this process."""

    def __init__(self, most: int = MOST_CONVERSATIONS, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep *most* conversations, each for ``KEEP_SECONDS`` of the *clock*."""
        self._most = most
        self._clock = clock
        self._states: OrderedDict[str, tuple[float, State]] = OrderedDict()
        self._numbers: dict[str, float] = {}

    async def get(self, key: str) -> tuple[State | None, str]:
        """Return what is kept under *key*."""
        return self.peek(key), ""

    def peek(self, key: str) -> State | None:
        """Return the state kept under *key*, if any."""
        kept_at, state = self._states.get(key, (0.0, None))
        return state if self._clock() < kept_at + KEEP_SECONDS else None

    def put(self, key: str, state: State) -> None:
        """Keep *state* under *key*."""
        self._states[key] = (self._clock(), state)
        self._states.move_to_end(key)
        if len(self._states) > self._most:
            self._states.popitem(last=False)

    def shift(self, key: str, start: float, step: float, heard: Callable[[float], None]) -> None:
        """Add *step* to the number under *key*, and tell *heard* at once."""
        self._numbers[key] = self._numbers.get(key, start) + step
        heard(self._numbers[key])

    def keep(self, call_id: str, entry: str, most: int, conversation: str | None) -> None:
        """Keep nothing: what one worker knows would end with it, and nobody could read it."""

    def blame(self, conversation: str, most: int) -> None:
        """Keep nothing."""

    async def judge(self, call_id: str, outcome: str, most: int) -> str:
        """Keep nothing."""
        return AWAY
