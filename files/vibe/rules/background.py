"""What a client does by itself beside the conversation goes cheap: titles, tags, probes."""

from __future__ import annotations

from vibe.memory.verdict import CHEAP, Verdict
from vibe.request.turn_kind import PROBE, TITLE
from vibe.rules.context import RuleContext

NAME = "background"


def judge(context: RuleContext) -> Verdict | None:
    """Judge by the kind of turn alone: the text of a title turn is the person's prompt, however hard that is."""
    return Verdict(CHEAP, (context.request.turn,)) if context.request.turn in (TITLE, PROBE) else None
