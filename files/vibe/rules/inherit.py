"""A turn that continues a prompt is as hard as that prompt: it never moves the conversation, in either direction."""

from __future__ import annotations

from vibe.memory.verdict import CHEAP, SAFE, Verdict
from vibe.routes.family import OFF
from vibe.rules.context import RuleContext
from vibe.rules.continuation import is_continuation, is_listed_continuation

NAME = "inherit"
TOOL_LOOP = "tool loop"
# A prompt that is this likely hard by itself does not stay cheap because a model calls it a continuation.
HARD_SCORE = 80.0


def judge(context: RuleContext) -> Verdict | None:
    """Judge by the turn's kind and words; the next rules judge a prompt that has nothing to continue."""
    request, family, standing = context.request, context.family, context.standing
    dialogue = request.dialogue
    if family.affinity == OFF:
        return None
    if dialogue.in_tool_loop or request.prompt is None:
        return None if standing.side is None else Verdict(standing.side, (TOOL_LOOP,))
    is_first = standing.side is None and dialogue.whole
    if is_first or not _continues(context, request.prompt):
        return None
    if standing.side is not None:
        return Verdict(standing.side, ("continues what was asked before",))
    # Only the provider has the previous turns; they are unknown here.
    return Verdict(SAFE, ("continues what is not to be seen",))


def _continues(context: RuleContext, prompt: str) -> bool:
    dialogue = context.request.dialogue
    if is_listed_continuation(prompt):
        return True
    if not is_continuation(prompt, dialogue.prompt_before(), dialogue.answer_before()):
        return False
    return context.standing.side != CHEAP or context.scorer.score(prompt).value < HARD_SCORE
