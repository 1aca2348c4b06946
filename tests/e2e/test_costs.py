"""The Redis commands of a request are counted, because each one more costs every request."""

from __future__ import annotations

import time

import httpx
import pytest
from bench.stack.costs import Account, by_request, by_second, shapes

REQUESTS, IDLE_SECONDS = 60, 10.0
# Of LiteLLM and the plug-in, for a new conversation, and a known one; measured 7.1 and 9.1 (docs/benchmarks.md).
MOST_COMMANDS = {"50 characters": 8.0, "fifth turn": 10.0}
# After an outage, LiteLLM and the plug-in avoid Redis for a while, in each worker separately.
LEAST_COMMANDS, USED_WITHIN_SECONDS = 5.0, 180


@pytest.fixture(scope="module")
def redis_used(deployed: dict[str, str]) -> None:
    """Wait until all workers use Redis again: an earlier test may have stopped it."""
    account, body = Account(), shapes()["50 characters"]
    headers = {"Authorization": f"Bearer {deployed['OPENAI_API_KEY']}", "Connection": "close"}
    until, seen = time.monotonic() + USED_WITHIN_SECONDS, 0.0
    while seen < LEAST_COMMANDS:
        assert time.monotonic() < until, f"a request asks Redis {seen:.1f} commands"
        before = account.read()
        for number in range(20):
            url = f"{deployed['OPENAI_BASE_URL']}/chat/completions"
            httpx.post(url, json=body(number), headers=headers, timeout=60).raise_for_status()
        seen = (account.read().commands - before.commands) / 20
        time.sleep(1)


@pytest.mark.usefixtures("redis_used")
@pytest.mark.parametrize("shape", MOST_COMMANDS)
def test_a_request_asks_redis_no_more_than_it_did(deployed: dict[str, str], shape: str) -> None:
    account, body = Account(), shapes()[shape]
    before = account.read()
    time.sleep(IDLE_SECONDS)
    idle = by_second(before, account.read())
    headers = {"Authorization": f"Bearer {deployed['OPENAI_API_KEY']}"}
    with httpx.Client(base_url=deployed["OPENAI_BASE_URL"], headers=headers, timeout=60) as client:
        before = account.read()
        for number in range(REQUESTS):
            client.post("/chat/completions", json=body(number)).raise_for_status()
        spent = by_request(before, account.read(), idle, REQUESTS)
    assert spent["commands"] <= MOST_COMMANDS[shape]
    assert spent["commands"] >= LEAST_COMMANDS
