"""The last rule: the prompt's score against the family's threshold, and the side that serves the conversation."""

from __future__ import annotations

from vibe.memory.verdict import CHEAP, STRONG, Verdict
from vibe.routes.family import OFF
from vibe.rules.context import RuleContext
from vibe.rules.cost_forecast import forecast_cost
from vibe.rules.pool_switch import side_for
from vibe.scoring.score import Score

NAME = "score"
MAX_REASONS = 6
REASON_NO_SIGNAL = "no_signal"
# Smaller log odds are not reported.
LEAST_REASON = 0.05
# Begins the reasons where the conversation's side, not the score, decided.
STAYS = "stays"


def judge(context: RuleContext) -> Verdict | None:
    """Judge by the score of the prompt; a repeated prompt is served as before."""
    request, family, standing = context.request, context.family, context.standing
    scored = context.scorer.score(request.prompt or "")
    reasons = reasons_of(scored)
    by_itself = STRONG if scored.value >= family.threshold else CHEAP
    if standing.side is not None and standing.is_decided and family.affinity != OFF:
        side = standing.side
    else:
        side = side_for(
            scored.value,
            standing,
            family,
            request.at,
            lambda: forecast_cost(request.dialogue),
        )
    if side != by_itself:
        reasons = (f"{STAYS} {side}", *reasons)
    return Verdict(side, reasons, scored.value, is_kept=True)


def reasons_of(scored: Score) -> tuple[str, ...]:
    """Return the main contributions in log odds, such as ``("words -1.2", "length +0.3")``."""
    leading = scored.leading(MAX_REASONS)
    told = [f"{feature} {part:+.1f}" for feature, part in leading if abs(part) >= LEAST_REASON]
    return tuple(told) or (REASON_NO_SIGNAL,)
