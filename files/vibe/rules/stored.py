"""A turn that continues a stored response stays in the pool that gave it: another provider does not have it."""

from __future__ import annotations

from vibe.memory.verdict import CHEAP, SAFE, STRONG, Verdict
from vibe.rules.context import RuleContext

NAME = "stored"


def judge(context: RuleContext) -> Verdict | None:
    """Judge a request whose previous response is known; any other goes on to the next rules."""
    pool, family = context.request.answered_by, context.family
    sides = {family.safe_pool: SAFE, family.strong_pool: STRONG, family.cheap_pool: CHEAP}
    return None if pool is None or pool not in sides else Verdict(sides[pool], (f"continues a response of {pool}",))
