"""An explicit choice wins, where the family lets clients choose: a side (cheap, strong) or a pool of the family."""

from __future__ import annotations

from vibe.memory.verdict import CHEAP, PASS, SAFE, STRONG, Verdict
from vibe.rules.context import RuleContext

NAME = "explicit"


def judge(context: RuleContext) -> Verdict | None:
    """Judge by the first choice that names a side or pool of the family; note those that do not."""
    family = context.family
    sides = {
        family.safe_pool: SAFE,
        family.cheap_pool: CHEAP,
        family.strong_pool: STRONG,
        CHEAP: CHEAP,
        STRONG: STRONG,
    }
    ignored = []
    for choice in context.request.choices:
        if choice.source not in family.explicit_choice:
            ignored.append(f"{choice.source} choice is switched off")
        elif choice.value in sides:
            side = sides[choice.value]
            return Verdict(side, (f"{choice.source} choice", *ignored), is_kept=side != SAFE)
        else:
            # Its text is not logged: it is the client's.
            ignored.append(f"{choice.source} choice names no pool of the family")
    return Verdict(PASS, tuple(ignored)) if ignored else None
