#!/usr/bin/env python3
"""A hundred thousand request bodies that no client should send: does the hook raise, and what does the worst one cost?

    .venv-test/bin/python tests/bench/routing/fuzz.py [--examples 100000] [--seed 1]

Takes some twenty minutes. After the generated bodies come texts of 10 MB, of each piece that is looked for. Prints
one JSON object; a body that makes the hook raise ends the run with it, made as small as can be. The cost is processor
time of the whole hook, the best of three where it was above the bound: a machine that does something else is no fault
of the body.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    _REPOSITORY = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(_REPOSITORY / "files"), str(_REPOSITORY / "tests")]

import hypothesis
from hypothesis import strategies as st
from vibe.log import LEVEL_VARIABLE
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes
from vibe_fuzz import BODIES, CALL_TYPES, LONGEST, PIECES
from vibe_router import VibeIntelligentRouter

BOUND_MS = 5.0
FAMILY = Family("chat", "chat-auto", "pool-mini", "pool-standard", "pool-standard", 50)
ROUTES = Routes({FAMILY.virtual_model: FAMILY}, frozenset((FAMILY.cheap_pool, FAMILY.strong_pool)))
ROUTER = VibeIntelligentRouter(ROUTES)


def decide(body: dict[str, Any], call_type: str, loop: asyncio.AbstractEventLoop) -> float:
    """Let the hook decide a copy of *body*, and return the milliseconds of processor time that it took.

    Raises:
        AssertionError: the request was neither routed nor left alone.
    """
    data = copy.deepcopy(body) if len(str(body.get("messages"))) < LONGEST else dict(body)
    began = time.thread_time_ns()
    loop.run_until_complete(ROUTER.async_pre_call_hook(None, None, data, call_type))
    took = (time.thread_time_ns() - began) / 1e6
    assert data["model"] in ("chat-auto", FAMILY.cheap_pool, FAMILY.strong_pool), data["model"]
    return took


def main() -> int:
    """Run, and print what came out; 1 where a body took longer than the bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ[LEVEL_VARIABLE] = "ERROR"
    loop = asyncio.new_event_loop()
    took: list[float] = []

    def measure(body: dict[str, Any], call_type: str) -> None:
        spent = decide(body, call_type, loop)
        if spent > BOUND_MS:
            spent = min(spent, *(decide(body, call_type, loop) for _ in "ab"))
        took.append(spent)

    @hypothesis.seed(options.seed)
    @hypothesis.settings(
        max_examples=options.examples,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
    )
    @hypothesis.given(body=BODIES, call_type=st.sampled_from(CALL_TYPES))
    def generated(body: dict[str, Any], call_type: str) -> None:
        measure(body, call_type)

    generated()
    worst_generated, count = max(took), len(took)
    took.clear()
    for piece in PIECES:
        text = (piece * (LONGEST // len(piece) + 1))[:LONGEST]
        measure({"model": "chat-auto", "messages": [{"role": "user", "content": text}], "metadata": {}}, CALL_TYPES[0])
    found = {"bodies": count, "worst_ms": round(worst_generated, 2), "worst_ms_of_10_MB": round(max(took), 2)}
    print(json.dumps(found, indent=2))
    return int(max(worst_generated, *took) > BOUND_MS)


if __name__ == "__main__":
    sys.exit(main())
