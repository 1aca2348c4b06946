"""What the cheap pool cannot do goes strong; what only the cheap one can, goes cheap, and says so."""

from __future__ import annotations

from vibe.family import Family
from vibe.request import Request
from vibe.scorer import Scorer
from vibe.standing import Standing
from vibe.verdict import CHEAP, PASS, STRONG, Verdict

NAME = "ability"


def judge(request: Request, family: Family, scorer: Scorer, standing: Standing) -> Verdict | None:
    """Judge by what the request needs and each pool lacks; where neither can, the other rules decide."""
    cheap, strong = family.cheap.abilities.lacks(request.needs), family.strong.abilities.lacks(request.needs)
    if cheap and strong:
        return Verdict(PASS, (f"no pool takes {_words(cheap)}",))
    if cheap:
        return Verdict(STRONG, (f"the cheap pool does not take {_words(cheap)}",))
    if strong:
        return Verdict(CHEAP, (f"the strong pool does not take {_words(strong)}",))
    return None


def _words(lacking: list[str]) -> str:
    return " and ".join(lacking)
