"""What a client does by itself beside the conversation goes cheap: titles, tags, probes."""

from __future__ import annotations

from vibe.rules.context import RuleContext
from vibe.turn import PROBE, TITLE
from vibe.verdict import CHEAP, Verdict

NAME = "background"


def judge(context: RuleContext) -> Verdict | None:
    """Judge by the kind of turn alone: the text of a title turn is the person's ask, however hard that is."""
    return Verdict(CHEAP, (context.request.turn,)) if context.request.turn in (TITLE, PROBE) else None
