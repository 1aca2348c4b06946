"""What turns cost by the providers' rules: what a pool's prompt cache has, takes in, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vibe.memory.verdict import CHEAP
from vibe.routes.prices import Prices
from vibe.simulation.synthetic_traffic import Talk


@dataclass(frozen=True)
class Tariff:
    """``prices`` of a pool; ``minimum``: the shortest prompt, in tokens, that its provider keeps."""

    prices: Prices
    minimum: int


@dataclass(frozen=True)
class Pair:
    """The tariffs of a family's two pools; ``cache_life``: seconds after its last use that a prompt is kept."""

    name: str
    cheap: Tariff
    strong: Tariff
    cache_life: float

    def tariff(self, side: str) -> Tariff:
        """Return the tariff of the pool on *side*."""
        return self.cheap if side == CHEAP else self.strong


@dataclass(slots=True)
class _Kept:
    """A prompt in a cache: its length in ``tokens``, and when it was last used."""

    tokens: int = 0
    used: float = float("-inf")


@dataclass
class Bill:
    """Dollars: ``fresh`` input, ``written`` and ``cached`` input, and ``answer``."""

    pair: Pair
    fresh: float = 0.0
    written: float = 0.0
    cached: float = 0.0
    answer: float = 0.0
    _kept: dict[tuple[object, str], _Kept] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """All of it."""
        return self.fresh + self.written + self.cached + self.answer

    def add(self, talk: Talk, at: float, before: int, asked: int, answered: int, side: str) -> None:
        """Add a turn of *talk* that *side* serves: *before* are the tokens of the turns before it, as it sends them."""
        tariff = self.pair.tariff(side)
        prices, length = tariff.prices, talk.system + before + asked
        own = self._kept.setdefault((id(talk), side), _Kept())
        # What every conversation of a client begins with is kept for all of them.
        shared = self._kept.setdefault((talk.client, side), _Kept())
        hit = max((kept.tokens for kept in (own, shared) if at - kept.used < self.pair.cache_life), default=0)
        self.cached += hit * prices.cached
        self.answer += answered * prices.answer
        if length < tariff.minimum:
            self.fresh += (length - hit) * prices.fresh
            return
        self.written += (length - hit) * prices.written
        own.tokens, own.used = length, at
        if talk.system >= tariff.minimum:
            shared.tokens, shared.used = talk.system, at


def in_order(talks: list[Talk]) -> Iterator[tuple[Talk, int]]:
    """Yield every turn of all *talks*, as talk and number, in the order in which they come."""
    turns = [(turn.at, place, number) for place, talk in enumerate(talks) for number, turn in enumerate(talk.turns)]
    for _, place, number in sorted(turns):
        yield talks[place], number
