"""A client's own requests go cheap: titles, tags, probes. A compaction stays on the conversation's side."""

from __future__ import annotations

from vibe.memory.verdict import CHEAP, Verdict
from vibe.request.housekeeping import COMPACTION
from vibe.request.turn_kind import MAIN
from vibe.routes.family import OFF
from vibe.rules.context import RuleContext

NAME = "background"


def judge(context: RuleContext) -> Verdict | None:
    """Judge by the kind of turn alone: the text of a title turn is the person's prompt, however hard that is."""
    turn, side = context.request.turn, context.standing.side
    if turn == MAIN:
        return None
    if turn == COMPACTION and side is not None and context.family.affinity != OFF:
        return Verdict(side, (turn,))
    return Verdict(CHEAP, (turn,))
