"""Without a visible human prompt the safe pool serves: the turn's own prompt may have been hard."""

from __future__ import annotations

from vibe.memory.verdict import SAFE, Verdict
from vibe.rules.context import RuleContext

NAME = "no-prompt"
REASON = "no_human_prompt"


def judge(context: RuleContext) -> Verdict | None:
    """Judge a request without a prompt."""
    return Verdict(SAFE, (REASON,)) if context.request.prompt is None else None
