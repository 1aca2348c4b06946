"""The outcome of a policy: its bill, hard turns that were served weakly, and what moved conversations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from vibe.memory.verdict import CHEAP, STRONG
from vibe.simulation.billing import Bill, Pair, in_order
from vibe.simulation.policies import POLICIES, Policy, family_of
from vibe.simulation.synthetic_traffic import Talk


@dataclass
class Outcome:
    """``weak``: turns of hard prompts that the cheap pool served; ``strong_turns``: that the strong pool did.

    ``moves``: how often the pool changed, by the kind of the turn that it changed at. ``served_weakly``: which turns
    those of ``weak`` are, as places of conversation and turn.
    """

    bill: Bill
    strong_turns: int = 0
    moves: Counter[str] = field(default_factory=Counter)
    served_weakly: set[tuple[int, int]] = field(default_factory=set)

    @property
    def weak(self) -> int:
        """How many turns of hard prompts the cheap pool served."""
        return len(self.served_weakly)


def outcome(talks: list[Talk], pair: Pair, policy: Policy, threshold: float) -> Outcome:
    """Return the outcome of *policy* for *talks* at the prices of *pair*; a prompt is hard from *threshold* on."""
    family = family_of(pair, threshold)
    place = {id(talk): number for number, talk in enumerate(talks)}
    sides = [list(policy(talk, family)) for talk in talks]
    before = [0] * len(talks)
    found = Outcome(Bill(pair))
    for talk, number in in_order(talks):
        at = place[id(talk)]
        turn, side = talk.turns[number], sides[at][number]
        found.bill.add(talk, turn.at, before[at], turn.asked, turn.answered, side)
        before[at] += turn.asked + turn.answered
        found.strong_turns += side == STRONG
        if side == CHEAP and turn.prompt_score >= threshold:
            found.served_weakly.add((at, number))
        if number and side != sides[at][number - 1]:
            found.moves[turn.kind] += 1
    return found


def outcomes(talks: list[Talk], pair: Pair, threshold: float) -> dict[str, Outcome]:
    """Return the outcome of every policy, by its name."""
    return {name: outcome(talks, pair, policy, threshold) for name, policy in POLICIES.items()}
