"""When a new, independent prompt moves its conversation to the other side, and what that costs.

Up, by need: the score is beyond the threshold by a margin. Down, by the family's ``affinity``: never (``upward``), or
where it saves money (``priced``). A move has the provider read the whole conversation again, uncached, at the other
pool; staying has it read from the cache, by the dearer model. If a pool's prices are unknown, a prompt moves its
conversation down when its score is below the threshold by a margin.
"""

from __future__ import annotations

from collections.abc import Callable

from vibe.memory.standing import Standing
from vibe.memory.verdict import CHEAP, STRONG
from vibe.routes.family import OFF, UPWARD, Family
from vibe.routes.prices import Prices
from vibe.rules.cost_forecast import CostForecast


def side_for(score: float, standing: Standing, family: Family, at: float, forecast: Callable[[], CostForecast]) -> str:
    """Return the side that serves a prompt of *score*, *at* seconds, in a conversation with this *standing*.

    *forecast* returns the prompt's forecast; called only if it matters.
    """
    if standing.is_escalated:
        return STRONG
    by_itself = STRONG if score >= family.threshold else CHEAP
    if standing.side is None or family.affinity == OFF:
        return by_itself
    if standing.side == CHEAP:
        # If it was strong before, it has already passed the margin: what came down for money goes up for need.
        margin = 0.0 if standing.state is not None and standing.state.was_strong else family.move_up_margin
        return STRONG if score >= family.threshold + margin else CHEAP
    if family.affinity == UPWARD or score >= family.threshold - family.move_down_margin:
        return STRONG
    cheap, strong = family.cheap.prices, family.strong.prices
    if cheap is None or strong is None:
        return CHEAP
    ahead, state = forecast(), standing.state
    if state is None:
        return CHEAP
    here_warm, there_warm = state.warm(at, ahead.prefix, family.cache_life)
    return CHEAP if cost(ahead, cheap, there_warm) < cost(ahead, strong, here_warm) else STRONG


def cost(ahead: CostForecast, prices: Prices, warm: float) -> float:
    """Return what the turns *ahead* cost at a pool, in dollars; *warm*: tokens that it has in its cache."""
    warm = min(warm, ahead.prefix)
    first = warm * prices.cached + (ahead.prefix - warm + ahead.prompt) * prices.written
    later = (ahead.prefix + ahead.prompt) * prices.cached + ahead.growth * prices.written
    # By then the cache has the whole history. A later turn also reads what the turns before it added.
    rest = ahead.turns - 1
    grown = max(rest - 1, 0.0) / 2 * ahead.growth * prices.cached
    return first + max(rest, 0.0) * (later + grown) + max(ahead.turns, 1.0) * ahead.answer * prices.answer
