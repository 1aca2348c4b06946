"""The command ``simulate``: a table of what each policy costs, for each pair of prices."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from vibe.simulation.outcome import Outcome, outcomes
from vibe.simulation.pairs import SHIPPED, PairsError, load_pairs
from vibe.simulation.traffic import ASK, CONTINUATION, LOOP, Talk, conversations

# All others are compared with it.
BASE, REFERENCE = "all strong", "upward"
KINDS = (ASK, CONTINUATION, LOOP)
MOST_CONVERSATIONS = 100_000


@dataclass(frozen=True)
class Wanted:
    """What is to be made up: *count* conversations of *kinds* from *seed*, *hard_share* of whose asks are hard."""

    count: int
    seed: int
    kinds: tuple[str, ...]
    hard_share: float


def simulate(prices: Path | None, wanted: Wanted, *, threshold: float, as_json: bool) -> int:
    """Print what comes of every policy at the *prices*, or those shipped, for the conversations *wanted*.

    Returns the exit code: 0, or 1 where an argument is of no use, said on standard error.
    """
    try:
        if not 1 <= wanted.count <= MOST_CONVERSATIONS:
            raise PairsError(f"--conversations: must be from 1 to {MOST_CONVERSATIONS}, is {wanted.count}")
        if not 0 <= wanted.hard_share <= 1:
            raise PairsError(f"--hard-share: must be from 0 to 1, is {wanted.hard_share:g}")
        pairs = load_pairs(prices or SHIPPED)
    except PairsError as error:
        print(error, file=sys.stderr)
        return 1
    talks = list(conversations(wanted.count, wanted.seed, wanted.kinds, wanted.hard_share))
    found = {pair.name: outcomes(talks, pair, threshold) for pair in pairs}
    if as_json:
        told = {
            name: {policy: _row(one, by_policy) for policy, one in by_policy.items()}
            for name, by_policy in found.items()
        }
        print(json.dumps(asdict(wanted) | {"turns": _turns(talks), "pairs": told}, indent=2))
        return 0
    turns = ", ".join(f"{number} {kind}s" for kind, number in _turns(talks).items())
    print(f"{wanted.count} conversations (seed {wanted.seed}): {turns}")
    for name, by_policy in found.items():
        _print(name, by_policy)
    return 0


def _row(one: Outcome, by_policy: dict[str, Outcome]) -> dict[str, object]:
    bill = one.bill
    return {
        "dollars": round(bill.total, 4),
        "of_all_strong": round(bill.total / by_policy[BASE].bill.total, 4),
        "input_dollars": round(bill.fresh + bill.written + bill.cached, 4),
        "output_dollars": round(bill.answer, 4),
        "strong_turns": one.strong_turns,
        "hard_turns_served_weakly": one.weak,
        "of_these_strong_if_upward": len(one.served_weakly - by_policy[REFERENCE].served_weakly),
        "moves": {kind: one.moves[kind] for kind in KINDS},
    }


def _turns(talks: list[Talk]) -> dict[str, int]:
    kinds = [turn.kind for talk in talks for turn in talk.turns]
    return {kind: kinds.count(kind) for kind in KINDS}


def _print(name: str, by_policy: dict[str, Outcome]) -> None:
    print(f"\n{name}")
    print(f"{'policy':<17}{'dollars':>9}{'of strong':>11}{'hard, weak':>12}{'moves: ask':>12}{'go on':>7}{'loop':>6}")
    for policy, one in by_policy.items():
        total, moves = one.bill.total, f"{one.moves[ASK]:>12}{one.moves[CONTINUATION]:>7}{one.moves[LOOP]:>6}"
        print(f"{policy:<17}{total:>9.2f}{total / by_policy[BASE].bill.total:>11.3f}{one.weak:>12}{moves}")
