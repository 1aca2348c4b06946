"""A turn that continues a prompt is as hard as that prompt: it never moves the conversation, in either direction."""

from __future__ import annotations

from vibe.memory.verdict import SAFE, Verdict
from vibe.routes.family import OFF
from vibe.rules.context import RuleContext
from vibe.rules.continuation import is_continuation

NAME = "inherit"
TOOL_LOOP = "tool loop"


def judge(context: RuleContext) -> Verdict | None:
    """Judge by the turn's kind and words; a prompt that has nothing to continue is for the next rules."""
    request, family, standing = context.request, context.family, context.standing
    dialogue = request.dialogue
    if family.affinity == OFF:
        return None
    if dialogue.in_tool_loop or request.prompt is None:
        return None if standing.side is None else Verdict(standing.side, (TOOL_LOOP,))
    is_first = standing.side is None and dialogue.whole
    if is_first or not is_continuation(request.prompt):
        return None
    if standing.side is not None:
        return Verdict(standing.side, ("continues what was asked before",))
    # The turns before are with the provider alone, and nothing is known of them.
    return Verdict(SAFE, ("continues what is not to be seen",))
