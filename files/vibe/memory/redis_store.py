"""States of conversations in Redis, shared by all workers and hosts, through the client that LiteLLM has open.

Reading is one round trip. While Redis answers, it is waited for as long as opening a connection may take
(``WAIT_SECONDS``); once it has failed or was that late, it is left alone for ``PAUSE_SECONDS`` and then, until it
answers again, waited for ``DOUBT_SECONDS`` only. So an outage costs each worker one such wait, and after that next to
nothing. Without Redis, this worker's own memory is used, or the history of the request. An outage is logged once a
minute, not once per request.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from vibe.log import INFO, WARNING, log
from vibe.memory.conversation_state import State, StateError, decoded
from vibe.memory.store import AWAY, BY_ESCALATION, KEEP_SECONDS, NOTED, TWICE, UNKNOWN, MemoryStore

KEY_PREFIX, NUMBER_PREFIX = "vibe:conversation:", "vibe:threshold:"
WAIT_SECONDS, DOUBT_SECONDS, PAUSE_SECONDS, SAY_SECONDS = 0.1, 0.002, 5.0, 60.0
# The loop itself may be late: an answer that has arrived is read within this many of its turns.
_LATE_TURNS = 3
_WRONG_TYPE = "WRONGTYPE"
_PROXY = "litellm.proxy.proxy_server"
# At most this many writes wait; with more, Redis is slower than the requests.
_MOST_WRITES = 256


# One round trip, and no two workers at once. Redis's own INCRBYFLOAT would begin at zero after a loss.
_SHIFT = """
local kept = tonumber(redis.call('GET', KEYS[1])) or tonumber(ARGV[1])
local new = string.format('%.4f', math.min(math.max(kept + tonumber(ARGV[2]), 0), 100))
redis.call('SET', KEYS[1], new, 'EX', ARGV[3])
return new
"""
ENTRIES, OUTCOMES, KNOWN_PREFIX, JUDGED_PREFIX = "vibe:entries", "vibe:outcomes", "vibe:known:", "vibe:judged:"
LAST_PREFIX = "vibe:last:"
FIELD = "json"
_KEEP = """
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', ARGV[2], ARGV[3])
redis.call('SET', KEYS[2], '1', 'EX', ARGV[4])
if KEYS[3] then redis.call('SET', KEYS[3], ARGV[5], 'EX', ARGV[4]) end
"""
# Once per entry: a blamed entry is no longer the last. (GETDEL would be one command, but needs Redis 6.2.)
_BLAME = """
local call = redis.call('GET', KEYS[2])
if call then
  redis.call('DEL', KEYS[2])
  local outcome = cjson.encode({call = call, score = 0, by = ARGV[3]})
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', ARGV[2], outcome)
end
"""
_JUDGE = """
if redis.call('EXISTS', KEYS[2]) == 0 then return ARGV[5] end
if not redis.call('SET', KEYS[3], '1', 'NX', 'EX', ARGV[4]) then return ARGV[6] end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', ARGV[2], ARGV[3])
return ARGV[7]
"""


class RedisStore:
    """States in Redis, with a copy in memory."""

    def __init__(self, client: Callable[[], Any], clock: Callable[[], float] = time.monotonic) -> None:
        """Take a function that returns the asynchronous Redis *client* of the running loop."""
        self._client = client
        self._clock = clock
        self._memory = MemoryStore(clock=clock)
        self._tasks: set[asyncio.Task[tuple[object, bool]]] = set()
        self._paused_until = self._said_at = float("-inf")
        self._is_away = self._is_said = False

    async def get(self, key: str) -> tuple[State | None, str]:
        """Return Redis's value of *key*, else this worker's own."""
        remembered = self._memory.peek(key)
        found, is_known = await self._read(key)
        if not is_known or found is None:
            return remembered, ""
        if found is _WRONG_TYPE:
            return remembered, "the conversation's state is of another type"
        try:
            return decoded(found), ""
        except StateError as error:
            return remembered, f"the conversation's state {error}"

    def put(self, key: str, state: State) -> None:
        """Save *state* here at once, and in Redis in the background."""
        self._memory.put(key, state)
        self._write(lambda client: client.set(KEY_PREFIX + key, state.encoded(), ex=KEEP_SECONDS))

    def shift(self, key: str, start: float, step: float, heard: Callable[[float], None]) -> None:
        """Add *step* to the number in Redis, in the background; without Redis nothing happens."""
        shifting = self._write(lambda client: client.eval(_SHIFT, 1, NUMBER_PREFIX + key, start, step, KEEP_SECONDS))
        if shifting is not None:
            shifting.add_done_callback(lambda task: _tell(task, heard))

    def keep(self, call_id: str, entry: str, most: int, conversation: str | None) -> None:
        """Save *entry* in Redis, in the background; without Redis nothing is saved."""
        keys = [ENTRIES, KNOWN_PREFIX + call_id] + ([] if conversation is None else [LAST_PREFIX + conversation])
        words = (most, FIELD, entry, KEEP_SECONDS, call_id)
        self._write(lambda client: client.eval(_KEEP, len(keys), *keys, *words))

    def blame(self, conversation: str, most: int) -> None:
        """Mark the conversation's last entry in Redis as failed, in the background."""
        keys, words = (OUTCOMES, LAST_PREFIX + conversation), (most, FIELD, BY_ESCALATION)
        self._write(lambda client: client.eval(_BLAME, len(keys), *keys, *words))

    async def judge(self, call_id: str, outcome: str, most: int) -> str:
        """Save *outcome* in Redis; the caller waits for it."""
        client = self._client_now()
        if client is None:
            return AWAY
        keys = (OUTCOMES, KNOWN_PREFIX + call_id, JUDGED_PREFIX + call_id)
        words = (most, FIELD, outcome, KEEP_SECONDS, UNKNOWN, TWICE, NOTED)
        answer, is_known = await self._guarded(client.eval(_JUDGE, len(keys), *keys, *words))
        if isinstance(answer, bytes):
            answer = answer.decode("utf-8", "replace")
        return answer if is_known and answer in (NOTED, UNKNOWN, TWICE) else AWAY

    async def settle(self) -> None:
        """Wait until all background writes have ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _read(self, key: str) -> tuple[object, bool]:
        """Return Redis's value of *key*, and whether it answered in time."""
        client = self._client_now()
        if client is None:
            return None, False
        reading = self._start(self._guarded(client.get(KEY_PREFIX + key)))
        seconds = DOUBT_SECONDS if self._is_away else WAIT_SECONDS
        await asyncio.wait((reading,), timeout=seconds)
        for _ in range(_LATE_TURNS):
            if reading.done():
                return reading.result()
            await asyncio.sleep(0)
        # Not cancelled: that would cost the connection, and its answer says that Redis is back.
        self._pause(f"does not answer within {seconds * 1000:g} ms")
        return None, False

    def _client_now(self) -> Any:
        """Return the client, None while Redis is left alone. A read does not wait for its creation."""
        if self._clock() < self._paused_until:
            return None
        try:
            return self._client()
        except Exception as error:
            self._pause(f"has no client: {type(error).__name__}")
            return None

    async def _guarded(self, call: Awaitable[object]) -> tuple[object, bool]:
        """Return the result of *call* and True, or None and False if Redis fails."""
        try:
            answer = await call
        except Exception as error:
            if _WRONG_TYPE in str(error):
                return _WRONG_TYPE, True
            # The client's message may quote a key or an address; the error's type is enough.
            self._pause(f"fails: {type(error).__name__}")
            return None, False
        if self._is_away:
            self._is_away, self._paused_until = False, float("-inf")
            if self._is_said:
                self._is_said = False
                log(INFO, "Redis answers again: conversations are shared")
        return answer, True

    def _write(self, call: Callable[[Any], Awaitable[object]]) -> asyncio.Task[tuple[object, bool]] | None:
        """Begin *call* of the client in the background; None while Redis is left alone, or slower than the writes."""
        client = self._client_now()
        if client is None or len(self._tasks) >= _MOST_WRITES:
            return None
        return self._start(self._guarded(call(client)))

    def _start(self, work: Coroutine[Any, Any, tuple[object, bool]]) -> asyncio.Task[tuple[object, bool]]:
        task = asyncio.get_running_loop().create_task(work)
        # The loop keeps only a weak reference.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _pause(self, why: str) -> None:
        now = self._clock()
        self._paused_until, self._is_away = now + PAUSE_SECONDS, True
        if now - self._said_at >= SAY_SECONDS:
            self._said_at, self._is_said = now, True
            log(WARNING, f"Redis {why}: each worker remembers its own conversations until it answers")


def _tell(shifted: asyncio.Task[tuple[object, bool]], heard: Callable[[float], None]) -> None:
    found, is_known = (None, False) if shifted.cancelled() else shifted.result()
    if isinstance(found, bytes):
        found = found.decode("utf-8", "replace")
    if not is_known or not isinstance(found, str):
        return
    try:
        heard(float(found))
    except ValueError:
        log(WARNING, "Redis has no number where a threshold should be: each worker goes on with its own")


def litellm_redis(cache: object) -> Any:
    """Return LiteLLM's asynchronous Redis client, None where it has no Redis. *cache* is what its hooks are given.

    That cache has Redis only where ``enable_redis_auth_cache`` is set; the proxy's own is ``redis_usage_cache`` (seen
    on LiteLLM 1.106.2 with ``general_settings.coordination_redis``).
    """
    shared = getattr(cache, "redis_cache", None) or getattr(sys.modules.get(_PROXY), "redis_usage_cache", None)
    return None if shared is None else shared.init_async_client()
