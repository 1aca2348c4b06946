"""What a client does by itself beside the conversation goes cheap: titles, tags, probes."""

from __future__ import annotations

from vibe.family import Family
from vibe.request import Request
from vibe.scorer import Scorer
from vibe.standing import Standing
from vibe.turn import PROBE, TITLE
from vibe.verdict import CHEAP, Verdict

NAME = "background"


def judge(request: Request, family: Family, scorer: Scorer, standing: Standing) -> Verdict | None:
    """Judge by the kind of turn alone: the text of a title turn is the person's ask, however hard that is."""
    return Verdict(CHEAP, (request.turn,)) if request.turn in (TITLE, PROBE) else None
