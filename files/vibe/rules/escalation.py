"""A conversation that fails repeatedly, or whose answer is called wrong, goes strong and stays there."""

from __future__ import annotations

from vibe.memory.verdict import STRONG, Verdict
from vibe.request.tool_failures import failures_in_a_row
from vibe.request.turns import Dialogue
from vibe.rules.complaint import is_complaint
from vibe.rules.context import RuleContext

NAME = "escalation"


def judge(context: RuleContext) -> Verdict | None:
    """Judge by the newest tool results, and by the person's reaction to the answer."""
    dialogue = context.request.dialogue
    if dialogue.in_tool_loop:
        failures = failures_in_a_row(_since_prompt(dialogue)) if context.family.escalate_after else 0
        if failures and failures >= context.family.escalate_after:
            return Verdict(STRONG, (f"{failures} tool results in a row failed",), is_kept=True, escalates=True)
    elif (
        context.standing.side is not None
        and context.request.prompt is not None
        and is_complaint(context.request.prompt)
    ):
        return Verdict(STRONG, ("the answer is said to be wrong",), is_kept=True, escalates=True)
    return None


def _since_prompt(dialogue: Dialogue) -> list[object]:
    return dialogue.turns if dialogue.prompt is None else dialogue.turns[dialogue.position + 1 :]
