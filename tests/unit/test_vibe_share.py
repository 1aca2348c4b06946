"""A threshold that follows the traffic comes to the wanted share, on one worker or on several that share Redis."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from vibe import redis_store
from vibe.family import Family
from vibe.log import LEVEL_VARIABLE
from vibe.redis_store import NUMBER_PREFIX, RedisStore
from vibe.routes import Routes
from vibe.score import Score
from vibe.store import KEEP_SECONDS, MemoryStore, Store
from vibe_router import VibeIntelligentRouter

SHARE, ASKS, SETTLED = 0.25, 3000, 1000
FAMILY = Family(
    *("chat", "chat-auto", "pool-mini", "pool-standard", "pool-standard"), threshold=50.0, strong_share=SHARE
)
ROUTES = Routes({FAMILY.virtual_model: FAMILY}, frozenset((FAMILY.cheap_pool, FAMILY.strong_pool)))


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEVEL_VARIABLE, "WARNING")


class Drawn:
    """A scorer that reads the score from the text."""

    def score(self, text: str) -> Score:
        """Return the score that *text* is."""
        return Score(float(text), float(text), 0.0, (), [], [])


class Redis:
    """A Redis client in memory that does what the script does, or fails."""

    def __init__(self) -> None:
        """Be well, and empty."""
        self.kept: dict[str, str] = {}
        self.error: Exception | None = None

    async def eval(self, script: str, count: int, key: str, start: float, step: float, seconds: int) -> bytes:
        """Shift the number under *key*."""
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        assert (script, count, seconds) == (redis_store._SHIFT, 1, KEEP_SECONDS)
        self.kept[key] = f"{min(max(float(self.kept.get(key, start)) + step, 0), 100):.4f}"
        return self.kept[key].encode()


def _worker(store: Store, routes: Routes = ROUTES) -> VibeIntelligentRouter:
    scorer: Any = Drawn()
    return VibeIntelligentRouter(routes, scorer, store)


async def _ask(worker: VibeIntelligentRouter, score: float) -> str:
    data = {"model": "chat-auto", "messages": [{"role": "user", "content": f"{score:.3f}"}], "metadata": {}}
    return str((await worker.async_pre_call_hook(None, None, data, "acompletion"))["model"])


async def _strong_share(workers: list[VibeIntelligentRouter], mean: float, asks: int = ASKS) -> float:
    """Return the share of the asks, the first ones left out, that went strong."""
    rng = random.Random(1)
    strong = 0
    for number in range(asks):
        pool = await _ask(rng.choice(workers), min(max(rng.gauss(mean, 15.0), 0.0), 100.0))
        await asyncio.sleep(0.0)
        strong += number >= SETTLED and pool == FAMILY.strong_pool
    return strong / (asks - SETTLED)


def test_without_a_share_the_threshold_stays() -> None:
    family = Family(*("chat", "chat-auto", "pool-mini", "pool-standard", "pool-standard"), threshold=50.0)
    worker = _worker(MemoryStore(), Routes({family.virtual_model: family}, ROUTES.pools))
    assert asyncio.run(_strong_share([worker], mean=20.0)) < 0.05


@pytest.mark.parametrize("mean", [20.0, 50.0, 80.0])
def test_the_wanted_share_goes_strong_whatever_the_scores_are(mean: float) -> None:
    assert asyncio.run(_strong_share([_worker(MemoryStore())], mean)) == pytest.approx(SHARE, abs=0.03)


def test_workers_that_share_redis_have_one_threshold() -> None:
    async def go() -> None:
        redis = Redis()
        stores = [RedisStore(lambda: redis) for _ in "abc"]
        workers = [_worker(store) for store in stores]
        assert await _strong_share(workers, mean=30.0) == pytest.approx(SHARE, abs=0.03)
        (kept,) = redis.kept.values()
        assert all(key.startswith(NUMBER_PREFIX) for key in redis.kept)
        # Each has heard it with its last ask. The others' since then are few, and move it by half a point at most.
        for worker in workers:
            assert worker._thresholds.applied_to(FAMILY).threshold == pytest.approx(float(kept), abs=2.0)

    asyncio.run(go())


def test_without_redis_a_worker_goes_on_by_itself_and_comes_back() -> None:
    async def go() -> None:
        redis = Redis()
        clock = [0.0]
        store = RedisStore(lambda: redis, lambda: clock[0])
        worker = _worker(store)
        redis.error = ConnectionError("gone")
        assert await _strong_share([worker], mean=20.0) == pytest.approx(SHARE, abs=0.03)
        assert redis.kept == {}
        redis.error = None
        clock[0] += 10
        await _ask(worker, 20.0)
        await store.settle()
        await asyncio.sleep(0)
        # Others may have gone elsewhere meanwhile: what Redis says holds.
        assert worker._thresholds.applied_to(FAMILY).threshold == pytest.approx(50.0, abs=1.0)

    asyncio.run(go())


@pytest.mark.parametrize("answer", [b"odd", b"\xff", 7, None])
def test_what_is_no_number_is_said_and_left(answer: object, capsys: pytest.CaptureFixture[str]) -> None:
    class Odd(Redis):
        async def eval(self, *_: object) -> Any:
            return answer

    async def go() -> None:
        store = RedisStore(Odd)
        heard: list[float] = []
        store.shift("k", 50.0, 0.5, heard.append)
        await store.settle()
        await asyncio.sleep(0)
        assert heard == []

    asyncio.run(go())
    said = capsys.readouterr().err
    assert ("Redis has no number" in said) == isinstance(answer, bytes)


def test_a_tool_loop_and_a_clients_choice_are_no_asks() -> None:
    async def go() -> None:
        worker = _worker(MemoryStore())
        turns = [{"role": "user", "content": "10"}, {"role": "tool", "tool_call_id": "1", "content": "done"}]
        await worker.async_pre_call_hook(None, None, {"model": "chat-auto", "messages": turns}, "acompletion")
        headers = {"headers": {"x-vibe-choice": "strong", "x-vibe-pool": "strong"}}
        chosen = {"model": "chat-auto", "messages": turns[:1], "proxy_server_request": headers}
        await worker.async_pre_call_hook(None, None, chosen, "acompletion")
        assert worker._thresholds.applied_to(FAMILY).threshold <= 50.0

    asyncio.run(go())
