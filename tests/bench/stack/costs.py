#!/usr/bin/env python3
"""What a request costs each part of the stack: processor time of router, gateway and Redis, and commands of Redis.

    ./deploy.sh && .venv-test/bin/python tests/bench/stack/costs.py

Processor time is the engine's own account of each container, before and after; what the containers use while nobody
asks is measured first and taken off. Rounds of every shape alternate within one run of some three minutes. A cost
depends less than a rate on what else the machine does. Prints one JSON object: medians of the rounds, milliseconds and
commands a request.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import engine_account, output, serving_slot
from doctor.links_redis import REDIS_CLI
from e2e.machine import client_settings

GATEWAY, REDIS = "vibe-gateway", "vibe-redis"
ROUNDS, REQUESTS, CONNECTIONS, IDLE_SECONDS = 7, 100, 4, 30.0
NS_PER_MS = 1e6
LONG = "Compare two consensus protocols and justify which one you would choose. " * 28


@dataclass(frozen=True)
class Used:
    """What the stack has used since its start, and when that was read."""

    at: float
    ms: dict[str, float]
    commands: int


class Account:
    """Reads what the containers of this machine's deployment have used."""

    def __init__(self) -> None:
        slot = serving_slot()["Name"].removeprefix("/")
        self._containers = {"router": slot, "gateway": GATEWAY, "Redis": REDIS}

    def read(self) -> Used:
        """Return processor milliseconds of each part and commands of Redis since they started."""
        ms = {}
        for part, name in self._containers.items():
            ms[part] = engine_account(name)["cpu_stats"]["cpu_usage"]["total_usage"] / NS_PER_MS
        found = re.search(r"total_commands_processed:(\d+)", output("sh", "-c", f"{REDIS_CLI} info stats"))
        if found is None:
            sys.exit(f"{REDIS} does not say how many commands it processed")
        return Used(time.monotonic(), ms, int(found[1]))


def by_second(before: Used, after: Used) -> dict[str, float]:
    """Return milliseconds and commands a second between two readings."""
    seconds = after.at - before.at
    spent = {part: (after.ms[part] - before.ms[part]) / seconds for part in after.ms}
    return {**spent, "commands": (after.commands - before.commands) / seconds}


def by_request(before: Used, after: Used, idle: dict[str, float], requests: int) -> dict[str, float]:
    """Return what a request cost between two readings, beyond what is used while nobody asks."""
    rates = by_second(before, after)
    return {what: (rates[what] - idle[what]) * (after.at - before.at) / requests for what in rates}


def shapes() -> dict[str, Callable[[int], dict[str, Any]]]:
    """Return bodies by their name; each takes a number by which no two requests are the same conversation."""

    def asked(*texts: str, **more: Any) -> dict[str, Any]:
        roles = ("user", "assistant")
        messages = [{"role": roles[index % 2], "content": text} for index, text in enumerate(texts)]
        return {"model": "chat-auto", "max_tokens": 16, "messages": messages, **more}

    return {
        "50 characters": lambda number: asked(f"What is the capital of France? Ask number {number:08}."),
        "2,000 characters": lambda number: asked(f"{number} {LONG}"),
        "fifth turn": lambda number: asked(f"{number} {LONG[:430]}", *["An answer. " * 20, "ok, go on"] * 4),
        "streamed": lambda number: asked(f"What is the capital of Spain? {number}", stream=True),
    }


def main() -> int:
    """Measure, and print what came out."""
    settings, account = client_settings(), Account()
    headers = {"Authorization": f"Bearer {settings['OPENAI_API_KEY']}"}
    with httpx.Client(base_url=settings["OPENAI_BASE_URL"], headers=headers, timeout=60) as client:

        def ask(body: dict[str, Any]) -> None:
            client.post("/chat/completions", json=body).raise_for_status()

        def ask_all(shape: Callable[[int], dict[str, Any]], first: int) -> None:
            with ThreadPoolExecutor(CONNECTIONS) as pool:
                list(pool.map(ask, map(shape, range(first, first + REQUESTS))))

        before = account.read()
        time.sleep(IDLE_SECONDS)
        idle = by_second(before, account.read())
        rows: dict[str, list[dict[str, float]]] = {name: [] for name in shapes()}
        for number in range(ROUNDS + 1):
            for name, shape in shapes().items():
                before = account.read()
                ask_all(shape, number * REQUESTS)
                # The first round is for connections and caches.
                if number:
                    rows[name].append(by_request(before, account.read(), idle, REQUESTS))
    medians = {
        name: {what: round(statistics.median(row[what] for row in found), 2) for what in idle}
        for name, found in rows.items()
    }
    print(json.dumps({"requests": ROUNDS * REQUESTS, "idle, a second": idle, "a request": medians}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
