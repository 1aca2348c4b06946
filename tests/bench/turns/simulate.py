#!/usr/bin/env python3
"""A thousand simulated conversations: what moves them, and whether several workers decide as one.

    .venv-test/bin/python tests/bench/turns/simulate.py [--count 1000] [--seed 1] [--redis redis://:PASSWORD@HOST:6379]

Three arms decide the same turns with the hook itself: one worker with memory; two workers, each turn at one of them,
that share Redis (the one named, else a replacement in memory behind the same store); and, for comparison, two workers
with a Redis that is away, which have their own memory and the history of each request. Prints one JSON object: turns by
kind, how often the pool changed at a turn of each kind, and how many decisions differ from the one worker's.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import os
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    _REPOSITORY = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(_REPOSITORY / "files"), str(_REPOSITORY / "tests")]

import redis.asyncio
from bench.turns.talks import COMPLAINT, CONTINUATION, LOOP, Turn, conversations
from vibe.log import LEVEL_VARIABLE
from vibe.memory.redis_store import KEY_PREFIX, RedisStore
from vibe.memory.store import MemoryStore, Store
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes
from vibe.telemetry.decision_metadata import recall
from vibe_router import VibeIntelligentRouter

FAMILY = Family("chat", "chat-auto", "pool-mini", "pool-standard", "pool-standard", 50)
ROUTES = Routes({FAMILY.virtual_model: FAMILY}, frozenset((FAMILY.cheap_pool, FAMILY.strong_pool)))
ESCALATION = "escalation"
ALONE, SHARING, APART = "one worker", "two workers over Redis", "two workers, Redis away"


@dataclass
class Arm:
    """What one arm decided: a (pool, rule) for each turn, and how often the pool changed, by the turn's kind."""

    decisions: list[tuple[str, str]] = field(default_factory=list)
    moves: Counter[str] = field(default_factory=Counter)


class Clock:
    """The time of the simulation, in seconds; only pauses move it."""

    def __init__(self) -> None:
        """Begin at nought."""
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class StandIn:
    """Redis in memory: what the store needs of a client."""

    def __init__(self) -> None:
        """Begin empty."""
        self._kept: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        """Return what is kept under *key*."""
        return self._kept.get(key)

    async def set(self, key: str, value: str, ex: int) -> None:
        """Keep *value* under *key*; *ex*, the seconds that it lives, is longer than any pause."""
        self._kept[key] = value.encode()

    async def delete(self, *keys: str) -> None:
        """Forget *keys*."""
        for key in keys:
            self._kept.pop(key, None)

    async def keys(self, pattern: str) -> list[str]:
        """Return every key; *pattern* is that of all."""
        return list(self._kept)


class Away:
    """Redis that is not there."""

    async def get(self, key: str) -> bytes | None:
        """Fail."""
        raise ConnectionError(key)

    async def set(self, key: str, value: str, ex: int) -> None:
        """Fail."""
        raise ConnectionError(key)


async def decide(turn: Turn, worker: VibeIntelligentRouter) -> tuple[str, str]:
    """Return the pool and the rule of *turn* at *worker*."""
    data = await worker.async_pre_call_hook(None, None, copy.deepcopy(turn.data), turn.call_type)
    record = recall(data) or {}
    return str(record.get("pool")), str(record.get("rule"))


async def run_arm(talks: list[list[Turn]], clock: Clock, stores: list[Store], seed: int) -> Arm:
    """Decide every turn of *talks*, each at one of the workers that have *stores*; pauses move the *clock*."""
    rng = random.Random(seed)
    workers = [VibeIntelligentRouter(ROUTES, store=store) for store in stores]
    arm = Arm()
    for talk in talks:
        before = None
        for turn in talk:
            clock.now += turn.pause
            chosen = rng.randrange(len(workers))
            pool, rule = await decide(turn, workers[chosen])
            store = stores[chosen]
            if isinstance(store, RedisStore):
                # An answer takes longer than a write.
                await store.settle()
            arm.decisions.append((pool, rule))
            if before not in (None, pool):
                arm.moves[ESCALATION if rule == ESCALATION else turn.kind] += 1
            before = pool
    return arm


async def simulate(count: int, seed: int, address: str | None) -> dict[str, Any]:
    """Run the three arms over *count* conversations of *seed*; Redis is at *address*, or stood in for."""
    talks = list(conversations(count, seed))
    client: Any = StandIn() if address is None else redis.asyncio.from_url(address)

    async def forget() -> None:
        keys = await client.keys(f"{KEY_PREFIX}*")
        if keys:
            await client.delete(*keys)

    await forget()
    clock = Clock()
    alone: list[Store] = [MemoryStore(clock=clock)]
    shared: list[Store] = [RedisStore(lambda: client, clock) for _ in "ab"]
    apart: list[Store] = [RedisStore(Away, clock) for _ in "ab"]
    arms = {
        ALONE: await run_arm(talks, clock, alone, seed),
        SHARING: await run_arm(talks, clock, shared, seed),
        APART: await run_arm(talks, clock, apart, seed),
    }
    await forget()
    decided = arms[ALONE].decisions
    return {
        "conversations": count,
        "seed": seed,
        "redis": "in memory" if address is None else "real",
        "turns": dict(Counter(turn.kind for talk in talks for turn in talk)),
        "pauses": sum(turn.pause > 0 for talk in talks for turn in talk),
        "moves": {name: dict(arm.moves) for name, arm in arms.items()},
        "differences": {
            name: sum(one != other for one, other in zip(decided, arm.decisions, strict=True))
            for name, arm in arms.items()
        },
    }


def main() -> int:
    """Run the simulation and print what came out; 1 where a turn moved that must not, or workers differ over Redis."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--redis", metavar="URL", help="a real Redis, whose vibe:conversation keys are deleted")
    options = parser.parse_args()
    os.environ[LEVEL_VARIABLE] = "ERROR"
    found = asyncio.run(simulate(options.count, options.seed, options.redis))
    print(json.dumps(found, indent=2))
    return int(bool(faults(found)))


def faults(found: dict[str, Any]) -> list[str]:
    """Return what is wrong with what a simulation *found*, in words."""
    wrong = [
        f"{name}: {count} moves by a {kind}"
        for name in (ALONE, SHARING)
        for kind, count in found["moves"][name].items()
        if kind in (CONTINUATION, LOOP, COMPLAINT)
    ]
    if found["differences"][SHARING]:
        wrong.append(f"{SHARING}: {found['differences'][SHARING]} decisions differ")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
