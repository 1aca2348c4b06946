"""Whole conversations inside the deployed proxy: on every API, on several instances, and without Redis."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
import requests
from bench.turns.share import SHARE, strong_share, threshold, worker
from bench.turns.simulate import ALONE, faults, simulate
from e2e.machine import run
from vibe.memory.redis_store import NUMBER_PREFIX, RedisStore
from vibe.memory.store import Store

APIS = ("chat/completions", "responses", "messages")
CHEAP, STRONG = "pool-chat-mini", "pool-chat-standard"
EASY = "What is the capital of France?"
HARD = "Design a sharded, multi-region payment ledger: prove that transfers stay atomic, and derive its capacity."
RELEASE = Path("/opt/litellm-vibe-router/router/current")
SECOND_PORT = 4109


class Session:
    """A conversation with a client-given id, whose turns alternate between the addresses."""

    def __init__(
        self, settings: dict[str, str], api: str = "chat/completions", *addresses: str, stream: bool = False
    ) -> None:
        """Use *api* at *addresses*, by default the gateway."""
        self.api, self.key, self.stream = api, settings["OPENAI_API_KEY"], stream
        self.addresses = addresses or (settings["OPENAI_BASE_URL"],)
        self.turns: list[dict[str, Any]] = []
        self.headers = {"x-session-id": uuid.uuid4().hex}
        self.sent = 0

    def ask(self, text: str, *, choice: str = "") -> tuple[str, str]:
        """Send *text*, read the answer, and return the rule and the pool."""
        self.turns.append({"role": "user", "content": text})
        decided = self.send(choice=choice)
        self.turns.append({"role": "assistant", "content": "An answer."})
        return decided

    def tool(self, number: int, result: str, *, command: str = "ls") -> tuple[str, str]:
        """Send what a tool call gave back, in the form of the API."""
        if self.turns[-1] == {"role": "assistant", "content": "An answer."}:
            self.turns.pop()
        name, call = "run", f"call_{number}"
        arguments = json.dumps({"command": command})
        if self.api == "chat/completions":
            function = {"name": name, "arguments": arguments}
            calls = [{"id": call, "type": "function", "function": function}]
            self.turns.append({"role": "assistant", "content": None, "tool_calls": calls})
            self.turns.append({"role": "tool", "tool_call_id": call, "content": result})
        elif self.api == "responses":
            self.turns.append({"type": "function_call", "call_id": call, "name": name, "arguments": arguments})
            self.turns.append({"type": "function_call_output", "call_id": call, "output": result})
        else:
            use = {"type": "tool_use", "id": call, "name": name, "input": {"command": command}}
            self.turns.append({"role": "assistant", "content": [use]})
            given = {"type": "tool_result", "tool_use_id": call, "content": result}
            self.turns.append({"role": "user", "content": [given]})
        return self.send()

    def send(self, *, choice: str = "") -> tuple[str, str]:
        """Send the history as it is; return the rule and the pool."""
        body: dict[str, Any] = {"model": "chat-auto", "stream": self.stream}
        body |= {"input": self.turns} if self.api == "responses" else {"messages": self.turns, "max_tokens": 16}
        headers = self.headers | {"authorization": f"Bearer {self.key}"}
        headers |= {"x-vibe-choice": choice} if choice else {}
        address = self.addresses[self.sent % len(self.addresses)]
        self.sent += 1
        answer = requests.post(f"{address}/{self.api}", json=body, headers=headers, timeout=90)
        assert answer.status_code == 200, answer.text
        assert len(answer.headers["x-vibe-conversation"]) == 12
        return answer.headers["x-vibe-rule"], answer.headers["x-vibe-pool"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", APIS)
def test_a_continuation_stays_an_independent_prompt_moves_and_a_complaint_escalates(
    deployed: dict[str, str], api: str, stream: bool
) -> None:
    session = Session(deployed, api, stream=stream)
    assert [session.ask(text) for text in (HARD, "ok go ahead", EASY, "thanks", "no, that's wrong", "go on", EASY)] == [
        ("score", STRONG),
        ("inherit", STRONG),
        ("score", CHEAP),
        ("inherit", CHEAP),
        ("escalation", STRONG),
        ("inherit", STRONG),
        ("score", STRONG),
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", APIS)
def test_fifty_turns_of_a_tool_loop_never_switch(deployed: dict[str, str], api: str, stream: bool) -> None:
    session = Session(deployed, api, stream=stream)
    assert session.ask(EASY) == ("score", CHEAP)
    for number in range(50):
        assert session.tool(number, f"file_{number}", command=f"ls {number}") == ("inherit", CHEAP)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", APIS)
def test_a_tool_call_that_fails_again_and_again_escalates(deployed: dict[str, str], api: str, stream: bool) -> None:
    session = Session(deployed, api, stream=stream)
    session.ask(EASY)
    decided = [session.tool(number, "Process exited with code 1", command="make") for number in range(4)]
    assert [rule for rule, _ in decided] == ["inherit", "inherit", "escalation", "escalation"]
    assert decided[-1][1] == STRONG
    assert session.tool(5, "Process exited with code 0", command="make") == ("inherit", STRONG)


@pytest.fixture(scope="module")
def second_host(deployed: dict[str, str]) -> Iterator[str]:
    """The release as on another host: two workers that share only Redis with the first."""
    of_the_slot = {
        "VIBE_SLOT": "second",
        "VIBE_SLOT_ADDRESS": f"127.0.0.1:{SECOND_PORT}",
        "VIBE_METRICS_PORT": f"{SECOND_PORT + 100}",
        "VIBE_RELEASE": "second",
        "VIBE_WORKERS": "2",
        "VIBE_MEMORY_LIMIT": "2g",
    }
    slot = ("env", *(f"{name}={value}" for name, value in of_the_slot.items()))
    project = (*slot, "docker", "compose", "--project-name", "vibe-second", "--project-directory", str(RELEASE))
    run(*project, "up", "--detach", "--wait")
    yield f"http://127.0.0.1:{SECOND_PORT}/v1"
    run(*project, "down", "--timeout", "5")


@pytest.mark.parametrize("api", APIS)
def test_workers_and_hosts_agree_through_redis(deployed: dict[str, str], second_host: str, api: str) -> None:
    for _ in range(4):
        session = Session(deployed, api, deployed["OPENAI_BASE_URL"], second_host)
        # The history does not show this choice: the other host can know it only from Redis.
        assert session.ask(EASY, choice="strong") == ("explicit", STRONG)
        assert [session.ask("go on") for _ in range(5)] == [("inherit", STRONG)] * 5


@pytest.fixture
def redis_address(deployed: dict[str, str]) -> str:
    """The address and the password of the deployment's Redis."""
    inspect = ("docker", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
    address = run(*inspect, "vibe-redis").stdout.strip()
    password = run("docker", "exec", "vibe-redis", "cat", "/run/secrets/redis_password").stdout.strip()
    return f"redis://:{password}@{address}:6379"


def test_workers_of_two_hosts_keep_one_share_through_redis(redis_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIBE_LOG_LEVEL", "ERROR")

    async def go() -> None:
        clients = [redis.asyncio.from_url(redis_address) for _ in "ab"]
        await clients[0].delete(*(await clients[0].keys(f"{NUMBER_PREFIX}*") or ["none"]))
        stores: list[Store] = [RedisStore(partial(clients.__getitem__, number)) for number in (0, 1)]
        workers = [worker(store) for store in stores]
        assert await strong_share(workers, mean=30.0, stores=stores) == pytest.approx(SHARE, abs=0.03)
        (key,) = await clients[0].keys(f"{NUMBER_PREFIX}*")
        kept = float(await clients[0].get(key) or 0.0)
        # Each read it at its last prompt; prompts at the other since then moved it by half a point at most.
        assert [threshold(one) for one in workers] == pytest.approx([kept, kept], abs=2.0)
        await clients[0].delete(key)
        for client in clients:
            await client.aclose()

    asyncio.run(go())


def test_a_thousand_simulated_conversations_move_only_where_they_may_and_two_workers_decide_as_one(
    redis_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIBE_LOG_LEVEL", "ERROR")
    found = asyncio.run(simulate(1000, 1, redis_address))
    assert found["redis"] == "real"
    assert faults(found) == []
    assert found["moves"][ALONE]["prompt"] > 0


def test_with_redis_hanging_or_gone_every_turn_is_answered_and_decided(deployed: dict[str, str]) -> None:
    session = Session(deployed)
    assert session.ask(HARD) == ("score", STRONG)
    try:
        run("docker", "pause", "vibe-redis")
        assert [session.ask(text) for text in ("go on", EASY, "thanks")] == [
            ("inherit", STRONG),
            ("score", CHEAP),
            ("inherit", CHEAP),
        ]
    finally:
        run("docker", "unpause", "vibe-redis")
    try:
        run("docker", "stop", "--time", "1", "vibe-redis")
        assert session.ask(HARD) == ("score", STRONG)
        assert session.ask("go on") == ("inherit", STRONG)
        # Another conversation, with no state.
        other = Session(deployed)
        assert [other.ask(text)[1] for text in (EASY, "ok", HARD, "ok")] == [CHEAP, CHEAP, STRONG, STRONG]
    finally:
        run("docker", "start", "vibe-redis")
    serving = run("docker", "ps", "--filter", "name=litellm-vibe-router", "--format", "{{.Names}}").stdout.split()
    said = "".join(run("docker", "logs", name).stderr for name in serving)
    assert "each worker remembers its own conversations until it answers" in said
