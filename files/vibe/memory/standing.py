"""The state of a conversation before a turn: which side serves it, and whether it was escalated."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vibe.memory.conversation_state import State, prompt_number
from vibe.memory.verdict import STRONG, Verdict


@dataclass(frozen=True, slots=True)
class Standing:
    """``state``: the last one, None if nothing was decided yet.

    ``is_decided``: this turn's own prompt was decided before, so the turn belongs to it.
    """

    state: State | None = None
    is_decided: bool = False

    @property
    def side(self) -> str | None:
        """CHEAP or STRONG, None if nothing was decided yet."""
        return None if self.state is None else self.state.side

    @property
    def is_escalated(self) -> bool:
        """Whether the conversation stays strong."""
        return self.state is not None and self.state.escalated

    def after(self, verdict: Verdict, position: int, prompt: str | None) -> Standing:
        """Return the conversation's standing after *verdict* on the *prompt* at *position*."""
        if not verdict.is_kept or prompt is None:
            return self
        escalated = verdict.side == STRONG and (verdict.escalates or self.is_escalated)
        if self.state is None:
            return Standing(State(verdict.side, escalated, position, prompt_number(prompt)))
        moved = self.state.moved(verdict.side)
        return Standing(replace(moved, escalated=escalated, position=position, prompt=prompt_number(prompt)))


NEW = Standing()
