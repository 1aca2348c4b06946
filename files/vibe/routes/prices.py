"""The price of a pool's tokens, in US dollars per token.

The price of a pool of several deployments is their weighted mean, because LiteLLM distributes requests by weight.
Prices that change with the length of a prompt, which some models have, are those of a short one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# The keys of LiteLLM's model info. Input and output make a price; the other two are input's where they are missing.
FRESH_KEY, ANSWER_KEY = "input_cost_per_token", "output_cost_per_token"
CACHED_KEY, WRITTEN_KEY = "cache_read_input_token_cost", "cache_creation_input_token_cost"
PRICE_KEYS = (FRESH_KEY, ANSWER_KEY, CACHED_KEY, WRITTEN_KEY)
# A dollar per token is ten thousand times the most expensive model's price: a price per million was meant.
MOST_A_TOKEN = 1.0
# Prices this many times apart are in two currencies, or one is per million tokens.
FAR_APART = 1000.0


@dataclass(frozen=True)
class Prices:
    """Dollars a token.

    ``cached``: that the provider has in its prompt cache; ``written``: that it takes into it, where it takes money for
    that, else as ``fresh``; ``answer``: that comes back.
    """

    fresh: float
    cached: float
    written: float
    answer: float


def prices_of(models: Iterable[tuple[Mapping[str, object], float]]) -> Prices | None:
    """Return the price of a pool of *models*, as (model info, weight); None if one's prices are unknown."""
    each, weights = [], []
    for info, weight in models:
        prices = _prices(info)
        if prices is None:
            return None
        each.append(prices)
        weights.append(weight)
    total = sum(weights)
    if not total:
        return None
    parts = ((one.fresh, one.cached, one.written, one.answer) for one in each)
    weighed = [[weight * price for price in part] for weight, part in zip(weights, parts, strict=True)]
    return Prices(*(sum(column) / total for column in zip(*weighed, strict=True)))


def price_faults(stated: Mapping[str, object]) -> list[str]:
    """Return what is wrong with the prices that the variables state, each as ``key: fault``."""
    return [
        f"{key}: must be dollars a token, 0 to {MOST_A_TOKEN:g}, is {stated[key]!r}"
        for key in PRICE_KEYS
        if key in stated and _price(stated[key]) is None
    ]


def odd_prices(cheap_pool: str, cheap: Prices, strong_pool: str, strong: Prices) -> list[str]:
    """Return warnings about implausible prices of a family's pools."""
    warnings = []
    for kind, one, other in (("input", cheap.fresh, strong.fresh), ("output", cheap.answer, strong.answer)):
        low, high = sorted((one, other))
        if low and high / low >= FAR_APART:
            warnings.append(
                f"{kind} of {cheap_pool} costs {one:g} and of {strong_pool} {other:g} dollars a token, "
                f"{high / low:.0f} times apart: is one of them for a thousand or a million tokens?"
            )
        elif one > other:
            warnings.append(f"{kind} of the strong pool {strong_pool} costs less than of the cheap pool {cheap_pool}")
    return warnings


def _prices(info: Mapping[str, object]) -> Prices | None:
    fresh, answer = _price(info.get(FRESH_KEY)), _price(info.get(ANSWER_KEY))
    if fresh is None or answer is None:
        return None
    cached, written = _price(info.get(CACHED_KEY)), _price(info.get(WRITTEN_KEY))
    return Prices(fresh, fresh if cached is None else cached, fresh if written is None else written, answer)


def _price(value: object) -> float | None:
    # A bool is an int to Python; NaN fails the comparison.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_A_TOKEN:
        return None
    return float(value)
