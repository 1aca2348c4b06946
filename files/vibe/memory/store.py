"""Where the states of conversations are kept: one small interface, and the implementation in memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from vibe.memory.conversation_state import State

# Conversations that a worker keeps in memory; the one that was idle for longest is dropped first.
MOST_CONVERSATIONS = 10_000
# A conversation that was idle for a week starts again.
KEEP_SECONDS = 7 * 24 * 3600
# Who judged an answer: a client, or a conversation that escalated, which counts as a failure.
BY_CLIENT, BY_ESCALATION = "client", "escalation"
# The result of a judgement.
NOTED, UNKNOWN, TWICE, AWAY = "noted", "unknown", "twice", "away"


class Store(Protocol):
    """Keeps one state per conversation."""

    async def get(self, key: str) -> tuple[State | None, str]:
        """Return the state kept under *key*, if any, and "" or the reason why the value found cannot be used."""

    def put(self, key: str, state: State) -> None:
        """Save *state* under *key*; returns at once, even if the store writes later."""

    def shift(self, key: str, start: float, step: float, heard: Callable[[float], None]) -> None:
        """Add *step* to the number under *key*, which begins at *start*; *heard* gets the new one, now or later."""

    def keep(self, call_id: str, entry: str, most: int, conversation: str | None) -> None:
        """Keep *entry* under *call_id*, of which *most* stay, as the *conversation*'s last; returns at once."""

    def blame(self, conversation: str, most: int) -> None:
        """Mark the last entry of the *conversation* as failed, with *most* such marks kept; returns at once."""

    async def judge(self, call_id: str, outcome: str, most: int) -> str:
        """Keep *outcome*, of which *most* stay, for the entry under *call_id*; return the result."""


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
        """Add *step* to the number under *key*, and call *heard* at once."""
        self._numbers[key] = self._numbers.get(key, start) + step
        heard(self._numbers[key])

    def keep(self, call_id: str, entry: str, most: int, conversation: str | None) -> None:
        """Keep nothing: a record in one worker's memory would end with it, and could not be read."""

    def blame(self, conversation: str, most: int) -> None:
        """Keep nothing."""

    async def judge(self, call_id: str, outcome: str, most: int) -> str:
        """Keep nothing."""
        return AWAY
