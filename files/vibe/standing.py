"""How a conversation stands before a turn: which side serves it, and whether it was escalated."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vibe.state import State, ask_number
from vibe.verdict import STRONG, Verdict


@dataclass(frozen=True, slots=True)
class Standing:
    """``state``: where it was left, None where nothing was decided yet.

    ``is_decided``: the very ask of this turn was decided before, so the turn belongs to it.
    """

    state: State | None = None
    is_decided: bool = False

    @property
    def side(self) -> str | None:
        """CHEAP or STRONG, None where nothing was decided yet."""
        return None if self.state is None else self.state.side

    @property
    def is_escalated(self) -> bool:
        """Whether the conversation stays strong."""
        return self.state is not None and self.state.escalated

    def after(self, verdict: Verdict, position: int, ask: str | None) -> Standing:
        """Return how the conversation stands after *verdict* on the *ask* at *position*."""
        if not verdict.is_kept or ask is None:
            return self
        escalated = verdict.side == STRONG and (verdict.escalates or self.is_escalated)
        if self.state is None:
            return Standing(State(verdict.side, escalated, position, ask_number(ask)))
        moved = self.state.moved(verdict.side)
        return Standing(replace(moved, escalated=escalated, position=position, ask=ask_number(ask)))


NEW = Standing()
