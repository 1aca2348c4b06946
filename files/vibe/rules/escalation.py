"""What fails again and again, or is called wrong, goes strong and stays there."""

from __future__ import annotations

from vibe.complaint import is_complaint
from vibe.failures import repeated_failures
from vibe.family import Family
from vibe.request import Request
from vibe.scorer import Scorer
from vibe.standing import Standing
from vibe.verdict import STRONG, Verdict

NAME = "escalation"


def judge(request: Request, family: Family, scorer: Scorer, standing: Standing) -> Verdict | None:
    """Judge by the newest results of tools, and by what the person says of the answer."""
    dialogue = request.dialogue
    if dialogue.in_tool_loop:
        failures = repeated_failures(dialogue.turns) if family.escalate_after else 0
        if failures and failures >= family.escalate_after:
            return Verdict(STRONG, (f"the same tool call failed {failures} times",), is_kept=True, escalates=True)
    elif standing.side is not None and request.ask is not None and is_complaint(request.ask):
        return Verdict(STRONG, ("the answer is said to be wrong",), is_kept=True, escalates=True)
    return None
