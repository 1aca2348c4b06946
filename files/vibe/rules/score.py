"""The last rule: how hard the ask looks, against the family's threshold and the side that serves the conversation."""

from __future__ import annotations

from vibe.family import Family
from vibe.moves import side_for
from vibe.request import Request
from vibe.score import Score
from vibe.scorer import Scorer
from vibe.standing import NEW, Standing
from vibe.verdict import Verdict

NAME = "score"
MAX_REASONS = 6
REASON_NO_SIGNAL = "no_signal"
# Begins the reasons where the conversation's side, not the score, decided.
STAYS = "stays"


def judge(request: Request, family: Family, scorer: Scorer, standing: Standing) -> Verdict | None:
    """Judge by the score of the ask; an ask that comes again is served as it was."""
    scored = scorer.score(request.ask or "")
    decided = standing.side if standing.is_decided else None
    side = decided or side_for(scored.value, standing, family)
    reasons = reasons_of(scored)
    if side != side_for(scored.value, NEW, family):
        reasons = (f"{STAYS} {side}", *reasons)
    return Verdict(side, reasons, scored.value, is_kept=True)


def reasons_of(scored: Score) -> tuple[str, ...]:
    """Return the main contributions in points, such as ``("greeting -28.0", "length +2.9")``."""
    return tuple(f"{part.feature} {part.points:+.1f}" for part in scored.largest(MAX_REASONS)) or (REASON_NO_SIGNAL,)
