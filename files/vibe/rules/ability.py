"""What the cheap pool cannot do goes strong; what only the cheap pool can do goes cheap, with a note."""

from __future__ import annotations

from vibe.memory.verdict import CHEAP, PASS, STRONG, Verdict
from vibe.rules.context import RuleContext

NAME = "ability"


def judge(context: RuleContext) -> Verdict | None:
    """Judge by what the request needs and each pool lacks; if neither can, the other rules decide."""
    family, needs = context.family, context.request.needs
    cheap, strong = family.cheap.capabilities.lacks(needs), family.strong.capabilities.lacks(needs)
    if cheap and strong:
        return Verdict(PASS, (f"no pool takes {_words(cheap)}",))
    if cheap:
        return Verdict(STRONG, (f"the cheap pool does not take {_words(cheap)}",))
    if strong:
        return Verdict(CHEAP, (f"the strong pool does not take {_words(strong)}",))
    return None


def _words(lacking: list[str]) -> str:
    return " and ".join(lacking)
