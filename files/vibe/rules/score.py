"""The last rule: how hard the ask looks, against the family's threshold."""

from __future__ import annotations

from vibe.request import Request
from vibe.routes import Family
from vibe.score import Score
from vibe.scorer import Scorer
from vibe.verdict import CHEAP, STRONG, Verdict

NAME = "score"
MAX_REASONS = 6
REASON_NO_SIGNAL = "no_signal"


def judge(request: Request, family: Family, scorer: Scorer) -> Verdict | None:
    """Judge by the score of the ask."""
    scored = scorer.score(request.ask or "")
    return Verdict(STRONG if scored.value >= family.threshold else CHEAP, reasons_of(scored), scored.value)


def reasons_of(scored: Score) -> tuple[str, ...]:
    """Return the main contributions in points, such as ``("greeting -28.0", "length +2.9")``."""
    return tuple(f"{part.feature} {part.points:+.1f}" for part in scored.largest(MAX_REASONS)) or (REASON_NO_SIGNAL,)
