"""A threshold that follows the traffic: the score that a wanted share of the prompts reaches.

Each scored prompt moves it: up by a step times (1 - share) if the prompt reached it, else down by a step times the
share. So it converges where the two balance, at the (1 - share)-quantile of the scores, and follows that quantile
(Robbins and Monro 1951, with a constant step). The value is kept in the store, one for all workers and hosts; each
worker decides by the last value it read, and continues by itself while the store is away.
"""

from __future__ import annotations

from dataclasses import replace

from vibe.memory.store import Store
from vibe.request.request import Request
from vibe.routes.family import Family
from vibe.routing.decision import Decision
from vibe.rules.score import NAME as SCORE_RULE

# In points: it follows a change within some hundred prompts, and keeps the share to some hundredths.
STEP = 0.5


class Thresholds:
    """This worker's thresholds of the families that have a share."""

    def __init__(self) -> None:
        """Begin empty: each family starts at its own threshold."""
        self._known: dict[str, float] = {}

    def applied_to(self, family: Family) -> Family:
        """Return *family* with its current threshold."""
        if family.strong_share is None:
            return family
        return replace(family, threshold=self._known.get(_key(family), family.threshold))

    def count(self, family: Family, request: Request, decision: Decision, store: Store) -> None:
        """Move the threshold of *family* by the score of *decision*; returns at once."""
        share, score = family.strong_share, decision.score
        if share is None or score is None or decision.rule != SCORE_RULE or request.dialogue.in_tool_loop:
            return
        key = _key(family)
        step = STEP * (1 - share) if score >= decision.threshold else -STEP * share
        self._hear(key, decision.threshold + step)
        store.shift(key, family.threshold, step, lambda value: self._hear(key, value))

    def _hear(self, key: str, value: float) -> None:
        self._known[key] = min(max(value, 0.0), 100.0)


def _key(family: Family) -> str:
    # A changed share or start value begins again.
    return f"{family.name}:{family.strong_share}:{family.threshold:g}"
