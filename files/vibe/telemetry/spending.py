"""What a request cost, and what it would have cost on its family's strong pool: estimates, by the pools' prices.

LiteLLM hands its loggers the upstream's usage figures in one form, whichever API the request and the answer came by,
streamed or not (seen on LiteLLM 1.106.2 for chat, Responses and Messages on OpenAI's and Anthropic's upstreams):
``metadata.usage_object`` of its ``standard_logging_object``, where the prompt's tokens include those of the cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vibe.routes.family import Family
from vibe.routes.pool import UNKNOWN, Pool
from vibe.routes.prices import Prices

_DETAILS = "prompt_tokens_details"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens: ``fresh`` input, ``cached`` by the provider, ``written`` into its cache, and those of the ``answer``."""

    fresh: int
    cached: int
    written: int
    answer: int

    def cost(self, prices: Prices) -> float:
        """Return what these tokens cost, in dollars."""
        given = self.fresh * prices.fresh + self.cached * prices.cached + self.written * prices.written
        return given + self.answer * prices.answer


@dataclass(frozen=True, slots=True)
class Spending:
    """One answered request: the ``pool`` that served, its ``usage``, and dollars, None where prices are not known."""

    pool: str
    usage: Usage
    cost: float | None
    strong_cost: float | None

    @property
    def saved(self) -> float | None:
        """The extra cost of the strong pool; less than 0 if it would have been cheaper."""
        return None if self.cost is None or self.strong_cost is None else self.strong_cost - self.cost


def spending_of(logged: Mapping[str, object], family: Family, known: Mapping[str, Pool]) -> Spending | None:
    """Return what the request that LiteLLM *logged* cost, None where it has no usage figures.

    It counts as served by the pool that LiteLLM names, after a fallback too; by the safe pool where it names none.
    *known*: all pools by their names, for a fallback may be none of the family's two.
    """
    usage = usage_of(_entry(_entry(logged, "metadata"), "usage_object"))
    if usage is None:
        return None
    named = logged.get("model_group")
    pool = named if isinstance(named, str) and named and named != family.virtual_model else family.safe_pool
    own, strong = known.get(pool, UNKNOWN).prices, family.strong.prices
    return Spending(
        pool, usage, None if own is None else usage.cost(own), None if strong is None else usage.cost(strong)
    )


def dollars(amount: float | None) -> str:
    """Return *amount* for a log line, to a hundred-millionth of a dollar: a short request costs some of these."""
    return "-" if amount is None else f"{amount:.8f}"


def usage_of(figures: object) -> Usage | None:
    """Return the tokens of LiteLLM's usage *figures*, None where there are none."""
    if not isinstance(figures, Mapping):
        return None
    given, answer = _count(figures.get("prompt_tokens")), _count(figures.get("completion_tokens"))
    details = figures.get(_DETAILS)
    cached = _count(_entry(details, "cached_tokens"))
    written = _count(_entry(details, "cache_creation_tokens")) or _count(figures.get("cache_creation_input_tokens"))
    if not given and not answer:
        return None
    return Usage(max(given - cached - written, 0), cached, written, answer)


def _entry(holder: object, key: str) -> object:
    return holder.get(key) if isinstance(holder, Mapping) else None


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0
