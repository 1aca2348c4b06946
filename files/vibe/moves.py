"""When a new, independent ask moves its conversation to the other side. What a move costs is to be weighed here.

A move loses the provider's prompt cache of the whole conversation, so a score must be beyond the threshold by a margin.
"""

from __future__ import annotations

from vibe.family import Family
from vibe.standing import Standing
from vibe.verdict import CHEAP, STRONG


def side_for(score: float, standing: Standing, family: Family) -> str:
    """Return the side that serves an ask of *score* in a conversation that stands at *standing*."""
    if standing.is_escalated:
        return STRONG
    if standing.side == CHEAP:
        return STRONG if score >= family.threshold + family.move_up_margin else CHEAP
    if standing.side == STRONG:
        return CHEAP if score < family.threshold - family.move_down_margin else STRONG
    return STRONG if score >= family.threshold else CHEAP
