#!/usr/bin/env python3
"""What the plug-in costs the proxy: requests a second with it, by requests a second without it.

    ./deploy.sh && .venv-test/bin/python tests/bench/proxy/throughput.py

Two containers of the serving release, one worker each, on one processor; the second has the plug-in taken out of its
configuration, and is asked for the pool by name. Their arms alternate, in both orders, in one run of some seven
minutes; ApacheBench (Debian's apache2-utils) and the stub upstream work on the other processors. Prints one JSON
object, at 50 and at 2,000 characters, and for the fifth turn of a conversation, which asks Redis: the medians, and the
ratio of two arms that follow each other, its median and its quartiles over the rounds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import RELEASE, compared, need_ab, rate, start, wait_for, without_plugin

ROUNDS, REQUESTS, CONNECTIONS = 20, 120, 8
PORTS = {"with": 4111, "without": 4112}
# The virtual model is what the plug-in is for; without it the pool is named, so that both do the same.
MODELS = {"with": "chat-auto", "without": "pool-chat-standard"}
QUESTION = "Compare two consensus protocols and justify which one you would choose for a payment ledger. "


def main() -> int:
    """Measure, and print what came out."""
    need_ab()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configs = {"with": RELEASE.resolve() / "config.yaml", "without": without_plugin(folder)}
        names = [start(f"vibe-bench-{arm}", port, 1, configs[arm], "--cpuset-cpus=0") for arm, port in PORTS.items()]
        try:
            for port in PORTS.values():
                wait_for(port)
            figures = {kind: _measured(body, folder) for kind, body in _bodies().items()}
        finally:
            subprocess.run(["docker", "rm", "--force", *names], check=True, capture_output=True)
    print(json.dumps(figures, indent=2))
    return 0


def _bodies() -> dict[str, dict[str, Any]]:
    def asked(length: int) -> list[dict[str, str]]:
        return [{"role": "user", "content": (QUESTION * (length // len(QUESTION) + 1))[:length]}]

    talk: list[dict[str, str]] = []
    for text in (QUESTION, "ok go on", "and in German?", "why is that?", "go ahead"):
        talk += [{"role": "user", "content": text}, {"role": "assistant", "content": "An answer. " * 20}]
    shapes = {"50 characters": asked(50), "2,000 characters": asked(2000), "fifth turn": talk[:-1]}
    return {name: {"messages": messages, "max_tokens": 16} for name, messages in shapes.items()}


def _measured(body: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the medians of both arms for *body*, and the ratio of their pairs."""

    def measure(arm: str) -> float:
        whole = {"model": MODELS[arm], **body}
        return rate(PORTS[arm], whole, folder, REQUESTS, CONNECTIONS, "taskset", "-c", "1")

    return compared(list(PORTS), measure, ROUNDS)


if __name__ == "__main__":
    sys.exit(main())
