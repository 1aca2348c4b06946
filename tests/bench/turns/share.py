"""Made-up asks at several workers whose threshold follows a share: what share went strong, and where it came to."""

from __future__ import annotations

import asyncio
import random

from vibe.memory.redis_store import RedisStore
from vibe.memory.store import Store
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes
from vibe.scoring.family_scorers import Scorers
from vibe.scoring.score import Score
from vibe_router import VibeIntelligentRouter

SHARE, PROMPTS, SETTLED = 0.25, 3000, 1000
SPREAD = 15.0
FAMILY = Family(
    *("chat", "chat-auto", "pool-mini", "pool-standard", "pool-standard"), threshold=50.0, strong_share=SHARE
)


class Told:
    """A scorer that reads the score from the text."""

    def score(self, text: str) -> Score:
        """Return the score that *text* is."""
        return Score(float(text), float(text), 0.0, (), [], [])


def worker(store: Store, family: Family = FAMILY) -> VibeIntelligentRouter:
    """Return a worker of *family* that keeps what it knows in *store*."""
    routes = Routes({family.virtual_model: family}, frozenset((family.cheap_pool, family.strong_pool)))
    return VibeIntelligentRouter(routes, Scorers(Told()), store)


async def ask(at: VibeIntelligentRouter, score: float) -> str:
    """Return the pool that the worker *at* gives a prompt of *score*."""
    data = {"model": FAMILY.virtual_model, "messages": [{"role": "user", "content": f"{score:.3f}"}], "metadata": {}}
    return str((await at.async_pre_call_hook(None, None, data, "acompletion"))["model"])


def threshold(of: VibeIntelligentRouter) -> float:
    """Return the threshold that the worker decides by now."""
    return of._thresholds.applied_to(FAMILY).threshold


async def strong_share(workers: list[VibeIntelligentRouter], mean: float, stores: list[Store] | None = None) -> float:
    """Return the share of prompts, scores of *mean*, that went strong once the threshold had settled.

    Each prompt is at one of the *workers*; what it told the others is waited for, as an answer takes longer.
    """
    rng = random.Random(1)
    strong = 0
    for number in range(PROMPTS):
        chosen = rng.randrange(len(workers))
        pool = await ask(workers[chosen], min(max(rng.gauss(mean, SPREAD), 0.0), 100.0))
        store = stores[chosen] if stores else None
        if isinstance(store, RedisStore):
            await store.settle()
        await asyncio.sleep(0)
        strong += number >= SETTLED and pool == FAMILY.strong_pool
    return strong / (PROMPTS - SETTLED)
