"""Without a human ask to be seen the safe pool serves: the ask that the turn belongs to may have been hard."""

from __future__ import annotations

from vibe.family import Family
from vibe.request import Request
from vibe.scorer import Scorer
from vibe.standing import Standing
from vibe.verdict import SAFE, Verdict

NAME = "no-ask"
REASON = "no_human_ask"


def judge(request: Request, family: Family, scorer: Scorer, standing: Standing) -> Verdict | None:
    """Judge a request without an ask."""
    return Verdict(SAFE, (REASON,)) if request.ask is None else None
