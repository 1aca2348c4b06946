"""The policies that are compared: which side serves each turn of a conversation.

``ours`` runs the plug-in's own code (``vibe.rules.pool_switch``, ``vibe.memory.conversation_state``); the others are
the alternatives in the field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from vibe.memory.conversation_state import State
from vibe.memory.standing import NEW, Standing
from vibe.memory.verdict import CHEAP, STRONG
from vibe.routes.family import PRICED, UPWARD, Family
from vibe.routes.pool import Pool
from vibe.rules.cost_forecast import CostForecast, expected
from vibe.rules.pool_switch import side_for
from vibe.simulation.billing import Pair
from vibe.simulation.synthetic_traffic import LOOP, PROMPT, Talk, Turn

Policy = Callable[[Talk, Family], Iterator[str]]
# So many turns at the end of a history are read to forecast a prompt: vibe.rules.cost_forecast counts messages, two to
# a turn.
_READ_TURNS = 12


def all_strong(talk: Talk, family: Family) -> Iterator[str]:
    """Yield the strong side."""
    return (STRONG for _ in talk.turns)


def all_cheap(talk: Talk, family: Family) -> Iterator[str]:
    """Yield the cheap side."""
    return (CHEAP for _ in talk.turns)


def alone(talk: Talk, family: Family) -> Iterator[str]:
    """Yield the side that each turn's own words deserve; a tool's result has those of its prompt."""
    return (STRONG if turn.score >= family.threshold else CHEAP for turn in talk.turns)


def pinned(talk: Talk, family: Family) -> Iterator[str]:
    """Yield for every turn the side that the first one deserves."""
    first = STRONG if talk.turns[0].score >= family.threshold else CHEAP
    return (first for _ in talk.turns)


def upward(talk: Talk, family: Family) -> Iterator[str]:
    """Yield ours with ``affinity: upward``."""
    return _ours(talk, replace(family, affinity=UPWARD))


def margins(talk: Talk, family: Family) -> Iterator[str]:
    """Yield ours where no prices are known."""
    return _ours(talk, replace(family, affinity=PRICED, cheap=Pool(), strong=Pool()))


def priced(talk: Talk, family: Family) -> Iterator[str]:
    """Yield ours with ``affinity: priced``."""
    return _ours(talk, replace(family, affinity=PRICED))


POLICIES: dict[str, Policy] = {
    "priced": priced,
    "margins": margins,
    "upward": upward,
    "each turn alone": alone,
    "pinned": pinned,
    "all strong": all_strong,
    "all cheap": all_cheap,
}


def family_of(pair: Pair, threshold: float = 50.0) -> Family:
    """Return a family whose pools cost what *pair* says."""
    pools = (Pool(prices=pair.cheap.prices), Pool(prices=pair.strong.prices))
    names = ("family", "virtual", "cheap", "strong", "strong")
    return Family(*names, threshold, cache_life=pair.cache_life, cheap=pools[0], strong=pools[1])


def _ours(talk: Talk, family: Family) -> Iterator[str]:
    standing, before = NEW, _Before([])
    for number, turn in enumerate(talk.turns):
        old = standing.state
        side = old.side if old is not None and turn.kind != PROMPT else _side(turn, standing, family, before)
        new = State(side, False, number, number) if old is None else old.moved(side)
        standing = Standing(new.came(turn.at, old, before.total))
        before.turns.append(turn)
        before.tokens += turn.asked + turn.answered
        yield side


@dataclass
class _Before:
    """The turns before one, and their ``tokens``."""

    turns: list[Turn]
    tokens: float = 0.0

    def total(self) -> float:
        """Return the tokens."""
        return self.tokens


def _side(turn: Turn, standing: Standing, family: Family, before: _Before) -> str:
    return side_for(turn.score, standing, family, turn.at, lambda: _outlook(turn, before))


def _outlook(turn: Turn, before: _Before) -> CostForecast:
    recent = before.turns[-_READ_TURNS:]
    answered = sum(one.answered for one in recent)
    prompts = sum(one.kind != LOOP for one in recent)
    return expected(
        before.tokens, turn.asked, answered, sum(one.asked for one in recent) + answered, len(recent), prompts
    )
