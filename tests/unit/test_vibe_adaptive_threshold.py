"""A threshold that follows the traffic reaches the wanted share, with one worker or several that share Redis."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from bench.turns.share import FAMILY, SHARE, ask, strong_share, threshold, worker
from vibe.log import LEVEL_VARIABLE
from vibe.memory import redis_store
from vibe.memory.redis_store import NUMBER_PREFIX, RedisStore
from vibe.memory.store import KEEP_SECONDS, MemoryStore
from vibe.routes.family import OFF


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEVEL_VARIABLE, "WARNING")


class Redis:
    """An in-memory Redis client that does what the script does, or fails."""

    def __init__(self) -> None:
        """Start empty, without failures."""
        self.kept: dict[str, str] = {}
        self.error: Exception | None = None

    async def eval(self, script: str, count: int, key: str, start: float, step: float, seconds: int) -> bytes:
        """Add to the number under *key*."""
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        assert (script, count, seconds) == (redis_store._SHIFT, 1, KEEP_SECONDS)
        self.kept[key] = f"{min(max(float(self.kept.get(key, start)) + step, 0), 100):.4f}"
        return self.kept[key].encode()


def test_without_a_share_the_threshold_stays() -> None:
    stays = worker(MemoryStore(), replace(FAMILY, strong_share=None))
    assert asyncio.run(strong_share([stays], mean=20.0)) < 0.05


@pytest.mark.parametrize("mean", [20.0, 50.0, 80.0])
def test_the_wanted_share_goes_strong_whatever_the_scores_are(mean: float) -> None:
    assert asyncio.run(strong_share([worker(MemoryStore())], mean)) == pytest.approx(SHARE, abs=0.03)


def test_workers_that_share_redis_have_one_threshold() -> None:
    async def go() -> None:
        redis = Redis()
        stores = [RedisStore(lambda: redis) for _ in "abc"]
        workers = [worker(store) for store in stores]
        assert await strong_share(workers, mean=30.0) == pytest.approx(SHARE, abs=0.03)
        (kept,) = redis.kept.values()
        assert all(key.startswith(NUMBER_PREFIX) for key in redis.kept)
        # Each read it at its last prompt. Few prompts came since then, which move it by half a point at most.
        for one in workers:
            assert threshold(one) == pytest.approx(float(kept), abs=2.0)

    asyncio.run(go())


def test_without_redis_a_worker_goes_on_by_itself_and_comes_back() -> None:
    async def go() -> None:
        redis = Redis()
        clock = [0.0]
        store = RedisStore(lambda: redis, lambda: clock[0])
        alone = worker(store)
        redis.error = ConnectionError("gone")
        assert await strong_share([alone], mean=20.0) == pytest.approx(SHARE, abs=0.03)
        assert redis.kept == {}
        redis.error = None
        clock[0] += 10
        await ask(alone, 20.0)
        await store.settle()
        await asyncio.sleep(0)
        # Other workers may have changed it: Redis has the valid value.
        assert threshold(alone) == pytest.approx(50.0, abs=1.0)

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


def test_a_tool_loop_and_a_clients_choice_are_no_prompts() -> None:
    async def go() -> None:
        # Without affinity, the score rule also decides the turns of a tool loop.
        alone = worker(MemoryStore(), replace(FAMILY, affinity=OFF))
        turns = [{"role": "user", "content": "10"}, {"role": "tool", "tool_call_id": "1", "content": "done"}]
        await alone.async_pre_call_hook(None, None, {"model": "chat-auto", "messages": turns}, "acompletion")
        headers = {"headers": {"x-vibe-choice": "strong", "x-vibe-pool": "strong"}}
        chosen = {"model": "chat-auto", "messages": turns[:1], "proxy_server_request": headers}
        await alone.async_pre_call_hook(None, None, chosen, "acompletion")
        assert threshold(alone) == FAMILY.threshold
        await ask(alone, 10.0)
        assert threshold(alone) < FAMILY.threshold, "a prompt moves it"

    asyncio.run(go())
