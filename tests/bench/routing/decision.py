#!/usr/bin/env python3
"""What a decision costs, in microseconds of CPU: reading the request, asking the rules, making the record.

    .venv-test/bin/python tests/bench/routing/decision.py

All arms alternate in one run of about half a minute, so that a busy machine slows all of them. Prints one JSON object:
mean and p99 of each arm, and ratios of means. `score` is the score alone, of the 430 characters; the conversations
have 200 turns and a catalogue of 100 tools, and come with the state that is remembered of them.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    _REPOSITORY = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(_REPOSITORY / "files"), str(_REPOSITORY / "tests")]

from vibe.request.request import read_request
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes
from vibe.routing.decision import decide
from vibe.scoring.scorer import load_prior
from vibe_fixtures import HARD

ROUNDS, PER_ROUND = 100, 20
FAMILY = Family("chat", "chat-auto", "pool-mini", "pool-standard", "pool-standard", 50)
ROUTES = Routes({FAMILY.virtual_model: FAMILY}, frozenset((FAMILY.cheap_pool, FAMILY.strong_pool)))
SCORER = load_prior()
TURNS, TOOLS = 200, 100
CHINESE = "请设计一个跨区域的支付系统: 它必须在网络分区时不丢失交易, 比较一致性模型并证明其正确性。"


def body(messages: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return a chat request as LiteLLM hands it to the hook."""
    return {"model": "chat-auto", "messages": messages, "proxy_server_request": {"headers": {}}, **more}


def asked(text: str) -> dict[str, Any]:
    """Return the request that asks *text* alone."""
    return body([{"role": "user", "content": text}])


def of_length(text: str, length: int) -> str:
    """Return *length* characters of *text*, repeated."""
    return (f"{text} " * (length // len(text) + 1))[:length]


def conversations() -> dict[str, dict[str, Any]]:
    """Return the long conversations: one of prompts and answers, one of a prompt and a tool loop."""
    described = "Does one thing well. " * 20
    functions = [{"name": f"tool_{number}", "description": described} for number in range(TOOLS)]
    tools = [{"type": "function", "function": function} for function in functions]
    talk: list[dict[str, Any]] = []
    loop: list[dict[str, Any]] = [{"role": "user", "content": HARD}]
    for number in range(TURNS // 2):
        talk.append({"role": "user", "content": f"Question {number}: {HARD}"})
        talk.append({"role": "assistant", "content": "An answer. " * 40})
        call = {"name": "shell", "arguments": json.dumps({"command": f"cat {number}"})}
        calls = [{"id": f"call_{number}", "type": "function", "function": call}]
        loop.append({"role": "assistant", "content": None, "tool_calls": calls})
        loop.append({"role": "tool", "tool_call_id": f"call_{number}", "content": "A line. " * 40})
    return {"200 turns": body(talk[:-1], tools=tools), "200 turns, tool loop": body(loop, tools=tools)}


def deciding(data: dict[str, Any]) -> Callable[[], object]:
    """Return what decides *data* as the hook does, with the state that an earlier decision left."""
    _, state = decide(FAMILY, ROUTES, SCORER, read_request(data, "acompletion", "owner"))

    def once() -> object:
        request = read_request(data, "acompletion", "owner")
        return decide(FAMILY, ROUTES, SCORER, request, state if request.is_remembered else None)[0].as_metadata()

    return once


def measure(arms: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return the CPU microseconds of each call of each of *arms*, which take turns."""
    took: dict[str, list[float]] = {name: [] for name in arms}
    gc.collect()
    gc.freeze()
    for _ in range(ROUNDS):
        for name, call in arms.items():
            for _ in range(PER_ROUND):
                began = time.thread_time_ns()
                call()
                took[name].append((time.thread_time_ns() - began) / 1000)
    return took


def main() -> int:
    """Measure, and print what came out."""
    short = of_length(HARD, 430)
    arms: dict[str, Callable[[], object]] = {"score": lambda: SCORER.score(short)}
    texts = {"430": short, "4 kB": of_length(HARD, 4000), "1 MB": of_length(HARD, 1_000_000)}
    texts |= {"430 Chinese": of_length(CHINESE, 430), "4 kB Chinese": of_length(CHINESE, 4000)}
    arms |= {name: deciding(asked(text)) for name, text in texts.items()}
    arms |= {name: deciding(data) for name, data in conversations().items()}
    took = measure(arms)
    means = {name: statistics.mean(times) for name, times in took.items()}
    figures = {
        name: {"mean": round(means[name], 1), "p99": round(sorted(times)[int(len(times) * 0.99)], 1)}
        for name, times in took.items()
    }
    ratios = {"1 MB by 4 kB": means["1 MB"] / means["4 kB"], "430 by score": means["430"] / means["score"]}
    print(
        json.dumps({"cpu_us": figures, "ratios": {name: round(ratio, 2) for name, ratio in ratios.items()}}, indent=2)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
