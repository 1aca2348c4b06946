"""The command ``simulate``: a table of what each policy costs, for each pair of prices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from vibe.simulation.outcome import Outcome, outcomes
from vibe.simulation.price_pairs import SHIPPED, load_pairs
from vibe.simulation.router_log import read_records
from vibe.simulation.synthetic_traffic import CONTINUATION, LOOP, PROMPT, Talk, conversations

# The policy that all others are compared with.
BASE, REFERENCE = "all strong", "upward"
KINDS = (PROMPT, CONTINUATION, LOOP)
MOST_CONVERSATIONS = 100_000


@dataclass(frozen=True)
class Wanted:
    """Synthetic traffic: *count* conversations of *kinds* from *seed*; *hard_share* of their prompts are hard."""

    count: int
    seed: int
    kinds: tuple[str, ...]
    hard_share: float


class SimulationError(ValueError):
    """An argument of the command is invalid; the message names it."""


@dataclass(frozen=True)
class Traffic:
    """What is simulated: ``said`` in words, the conversations, and the ``threshold`` that makes a prompt hard."""

    said: str
    talks: list[Talk]
    threshold: float


def made_up(wanted: Wanted, threshold: float) -> Traffic:
    """Return the conversations *wanted*.

    Raises:
        SimulationError: the kinds or the share are invalid.
    """
    if not 1 <= wanted.count <= MOST_CONVERSATIONS:
        raise SimulationError(f"--conversations: must be from 1 to {MOST_CONVERSATIONS}, is {wanted.count}")
    if not 0 <= wanted.hard_share <= 1:
        raise SimulationError(f"--hard-share: must be from 0 to 1, is {wanted.hard_share:g}")
    talks = list(conversations(wanted.count, wanted.seed, wanted.kinds, wanted.hard_share))
    return Traffic(f"{wanted.count} conversations (seed {wanted.seed})", talks, threshold)


def recorded(path: Path) -> Traffic:
    """Return the conversations in the log at *path*.

    Raises:
        RecordsError: there are none.
    """
    records = read_records(path)
    left_out = "".join(f"; left out: {count} {reason}" for reason, count in records.left_out.items() if count)
    return Traffic(f"{len(records.talks)} conversations of {path}{left_out}", records.talks, records.threshold)


def simulate(traffic: Traffic, prices: Path | None, *, as_json: bool) -> None:
    """Print the outcome of every policy for *traffic* at the *prices* (default: the shipped ones).

    Raises:
        PairsError: the prices are invalid.
    """
    pairs = load_pairs(prices or SHIPPED)
    found = {pair.name: outcomes(traffic.talks, pair, traffic.threshold) for pair in pairs}
    if as_json:
        told = {
            name: {policy: _row(one, by_policy) for policy, one in by_policy.items()}
            for name, by_policy in found.items()
        }
        print(json.dumps({"traffic": traffic.said, "turns": _turns(traffic.talks), "pairs": told}, indent=2))
        return
    turns = ", ".join(f"{number} {kind}s" for kind, number in _turns(traffic.talks).items())
    print(f"{traffic.said}: {turns}; hard from {traffic.threshold:g} on")
    for name, by_policy in found.items():
        _print(name, by_policy)


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
    print(
        f"{'policy':<17}{'dollars':>9}{'of strong':>11}{'hard, weak':>12}{'moves: prompt':>14}{'go on':>7}{'loop':>6}"
    )
    for policy, one in by_policy.items():
        total, moves = one.bill.total, f"{one.moves[PROMPT]:>14}{one.moves[CONTINUATION]:>7}{one.moves[LOOP]:>6}"
        print(f"{policy:<17}{total:>9.2f}{total / by_policy[BASE].bill.total:>11.3f}{one.weak:>12}{moves}")
