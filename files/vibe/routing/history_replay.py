"""The standing of a conversation before a turn: from its saved state, and from the prompts since then.

Clients send the whole history with every turn. So turns without a saved state (another worker had
them, Redis is away) are decided again, in order, and every worker reaches the same side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vibe.memory.conversation_state import State
from vibe.memory.standing import NEW, Standing
from vibe.memory.verdict import PASS, STRONG, Verdict
from vibe.request.explicit_choice import choices_of
from vibe.request.housekeeping import purpose_of_turn
from vibe.request.request import Request
from vibe.request.tool_failures import most_failures
from vibe.request.turn_kind import MAIN
from vibe.request.turns import Dialogue
from vibe.routes.family import Family
from vibe.rules import BY_NAME, RULE_NAMES
from vibe.rules.context import RuleContext
from vibe.scoring.scorer import Scorer

# At most this many prompts are decided again: older ones matter little for the current side.
MOST_REPLAYED = 16
# The effect of tool results that failed in a row.
_FAILED = Verdict(STRONG, (), is_kept=True, escalates=True)
_NO_FIELDS: Mapping[str, object] = {}


def standing_before(request: Request, family: Family, scorer: Scorer, state: State | None) -> Standing:
    """Return the conversation's standing when the last prompt of *request* comes.

    In a tool loop that prompt is decided already, and part of it.
    """
    dialogue = request.dialogue
    if state is None and not dialogue.position and not dialogue.in_tool_loop:
        return NEW
    standing, start, end = NEW, 0, dialogue.position
    is_decided = dialogue.in_tool_loop
    if state is not None and state.is_of(dialogue):
        standing, start = Standing(state), state.position + 1
        is_decided = is_decided or state.position == dialogue.position
    elif state is not None and request.conversation is not None and request.conversation.is_named:
        # The client shortened the history, or sends none: the conversation that it names is still the same.
        standing, start = Standing(state), dialogue.position
    if dialogue.in_tool_loop and dialogue.prompt is not None:
        end += 1
    prompts = dialogue.prompts_between(start, end, MOST_REPLAYED)
    # The tool results of a prompt come before the next prompt.
    ends = [
        *(position for position, _ in prompts[1:]),
        len(dialogue.turns) if dialogue.in_tool_loop else dialogue.position,
    ]
    for (position, prompt), ends_at in zip(prompts, ends, strict=False):
        standing = _after(request, prompt, position, standing, family, scorer)
        if family.escalates_failures and most_failures(dialogue.turns[position + 1 : ends_at]) >= family.escalate_after:
            standing = standing.after(_FAILED, position, prompt)
    return replace(standing, is_decided=is_decided)


def first_verdict(
    request: Request, family: Family, scorer: Scorer, standing: Standing
) -> tuple[str, Verdict | None, tuple[str, ...]]:
    """Ask the rules of *family* in their order; return the deciding rule's name and verdict, and the others' notes."""
    noted: tuple[str, ...] = ()
    context = RuleContext(request, family, scorer, standing)
    for name in family.rules or RULE_NAMES:
        verdict = BY_NAME[name].judge(context)
        if verdict is None:
            continue
        if verdict.side != PASS:
            return name, verdict, noted
        noted += verdict.reasons
    return "", None, noted


def _after(
    request: Request, prompt: str, position: int, standing: Standing, family: Family, scorer: Scorer
) -> Standing:
    """Return a conversation's standing after an earlier *prompt*; of its request, only what came before is known."""
    dialogue = Dialogue(prompt, request.dialogue.turns, position)
    turn = purpose_of_turn(prompt, is_opening=dialogue.is_opening) or MAIN
    choices = choices_of(_NO_FIELDS, _NO_FIELDS, prompt)
    past = Request(prompt, turn, choices=choices, dialogue=dialogue, at=request.at)
    _, verdict, _ = first_verdict(past, family, scorer, standing)
    return standing if verdict is None else standing.after(verdict, position, prompt)
