"""Without a human ask to be seen the safe pool serves: the ask that the turn belongs to may have been hard."""

from __future__ import annotations

from vibe.rules.context import RuleContext
from vibe.verdict import SAFE, Verdict

NAME = "no-ask"
REASON = "no_human_ask"


def judge(context: RuleContext) -> Verdict | None:
    """Judge a request without an ask."""
    return Verdict(SAFE, (REASON,)) if context.request.ask is None else None
