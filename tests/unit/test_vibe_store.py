"""Redis that is slow, hangs, fails or holds other data: no request waits or fails, and it is logged once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from vibe.memory.conversation_state import State
from vibe.memory.redis_store import (
    KEY_PREFIX,
    PAUSE_SECONDS,
    SAY_SECONDS,
    WAIT_SECONDS,
    RedisStore,
    litellm_redis,
)
from vibe.memory.store import KEEP_SECONDS, MemoryStore

KEY = "k"
# Time limit of a test that would hang.
PATIENCE_SECONDS = 30.0
ONE = State("strong", escalated=False, position=2, prompt=7)
OTHER = State("cheap", escalated=True, position=4, prompt=9)


class Redis:
    """An in-memory Redis client that can hang or fail."""

    def __init__(self) -> None:
        """Start empty, without failures."""
        self.kept: dict[str, Any] = {}
        self.calls: list[str] = []
        self.hangs = False
        self.error: Exception | None = None

    async def _answer(self, call: str) -> None:
        self.calls.append(call)
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error

    async def get(self, key: str) -> Any:
        """Return the value under *key*."""
        await self._answer("get")
        return self.kept.get(key)

    async def set(self, key: str, value: str, ex: int) -> None:
        """Save *value* under *key*."""
        await self._answer("set")
        assert ex == KEEP_SECONDS
        self.kept[key] = value.encode()


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        """Start at zero."""
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time, in seconds."""
        return self.now


def _said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_what_one_worker_keeps_another_finds() -> None:
    async def go() -> None:
        redis = Redis()
        here, elsewhere = RedisStore(lambda: redis), RedisStore(lambda: redis)
        here.put(KEY, ONE)
        await here.settle()
        assert list(redis.kept) == [KEY_PREFIX + KEY]
        assert await elsewhere.get(KEY) == (ONE, "")
        elsewhere.put(KEY, OTHER)
        await elsewhere.settle()
        assert await here.get(KEY) == (OTHER, "")
        assert redis.calls == ["set", "get", "set", "get"]

    asyncio.run(go())


def test_a_key_that_nobody_kept_is_unknown_and_one_that_redis_lost_is_remembered() -> None:
    async def go() -> None:
        redis = Redis()
        store = RedisStore(lambda: redis)
        assert await store.get(KEY) == (None, "")
        store.put(KEY, ONE)
        await store.settle()
        redis.kept.clear()
        assert await store.get(KEY) == (ONE, "")

    asyncio.run(go())


def test_redis_that_fails_is_left_alone_for_a_while_and_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    async def go() -> None:
        redis, clock = Redis(), Clock()
        store = RedisStore(lambda: redis, clock)
        redis.error = ConnectionError("redis://user:secret@host")
        store.put(KEY, ONE)
        await store.settle()
        calls = len(redis.calls)
        for _ in range(100):
            assert await store.get(KEY) == (ONE, "")
            store.put(KEY, ONE)
        assert len(redis.calls) == calls
        clock.now += PAUSE_SECONDS
        redis.error = None
        store.put(KEY, OTHER)
        await store.settle()
        assert await RedisStore(lambda: redis).get(KEY) == (OTHER, "")

    asyncio.run(go())
    lines = _said(capsys)
    assert len(lines) == 2
    assert "[WARNING] Redis fails: ConnectionError" in lines[0]
    assert "[INFO] Redis answers again" in lines[1]
    assert "secret" not in str(lines)


def test_a_failure_is_said_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    async def go() -> None:
        redis, clock = Redis(), Clock()
        store = RedisStore(lambda: redis, clock)
        redis.error = OSError("no space")
        while clock.now <= 2 * SAY_SECONDS:
            await store.get(KEY)
            clock.now += PAUSE_SECONDS

    asyncio.run(go())
    assert len(_said(capsys)) == 3


def test_redis_that_hangs_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    async def go() -> None:
        redis = Redis()
        redis.hangs = True
        store = RedisStore(lambda: redis)
        store.put(KEY, ONE)
        for _ in range(10):
            assert await asyncio.wait_for(store.get(KEY), PATIENCE_SECONDS) == (ONE, "")
        # One request tried a read, and the others did not wait for it.
        assert redis.calls == ["set", "get"]

    asyncio.run(go())
    assert "does not answer within 100 ms" in _said(capsys)[0]


def test_an_answer_that_came_while_the_loop_was_busy_counts() -> None:
    async def go() -> None:
        redis = Redis()
        redis.kept[KEY_PREFIX + KEY] = ONE.encoded()
        store = RedisStore(lambda: redis)
        reading = asyncio.get_running_loop().create_task(store.get(KEY))
        await asyncio.sleep(0)
        # Another request blocks the loop for longer than the time limit for Redis.
        time.sleep(2 * WAIT_SECONDS)
        assert await reading == (ONE, "")

    asyncio.run(go())


def _wrong_type(redis: Redis) -> None:
    redis.error = RuntimeError("WRONGTYPE Operation against a key holding the wrong kind of value")


def _of_another_version(redis: Redis) -> None:
    redis.kept[KEY_PREFIX + KEY] = b'{"version": 2}'


@pytest.mark.parametrize(
    ("spoil", "why"),
    [(_wrong_type, "the conversation's state is of another type"), (_of_another_version, "is of another version")],
)
def test_a_state_that_is_none_of_ours_is_ignored_with_its_reason(spoil: Callable[[Redis], None], why: str) -> None:
    async def go() -> None:
        redis = Redis()
        spoil(redis)
        store = RedisStore(lambda: redis)
        state, unusable = await store.get(KEY)
        assert state is None
        assert why in unusable
        # It is not a failure of Redis: the next turn overwrites it.
        redis.error = None
        store.put(KEY, ONE)
        await store.settle()
        assert await RedisStore(lambda: redis).get(KEY) == (ONE, "")

    asyncio.run(go())


def test_a_client_that_cannot_be_made_is_a_redis_that_is_away(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> Redis:
        raise ValueError("no such host")

    async def go() -> None:
        store = RedisStore(fail)
        store.put(KEY, ONE)
        assert await store.get(KEY) == (ONE, "")

    asyncio.run(go())
    assert "Redis has no client: ValueError" in _said(capsys)[0]


def test_memory_alone_keeps_for_a_week() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    store.put(KEY, ONE)
    clock.now += KEEP_SECONDS - 1
    assert asyncio.run(store.get(KEY)) == (ONE, "")
    clock.now += 1
    assert asyncio.run(store.get(KEY)) == (None, "")


def test_litellms_redis_is_found_where_it_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cache:
        """LiteLLM's cache object."""

        redis_cache: Any = None

        @staticmethod
        def init_async_client() -> str:
            """Return the client."""
            return "client"

    cache = Cache()
    assert litellm_redis(cache) is None
    assert litellm_redis(None) is None
    monkeypatch.setitem(
        __import__("sys").modules, "litellm.proxy.proxy_server", type("proxy", (), {"redis_usage_cache": Cache()})
    )
    assert litellm_redis(cache) == "client"
