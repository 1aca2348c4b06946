#!/usr/bin/env python3
"""What a slot holds in memory by its number of workers: what the process above them holds, and what each adds.

    ./deploy.sh && .venv-test/bin/python tests/bench/stack/memory.py [--workers 1 2 3]

The serving release in a container of its own, started again for each number, both orders. Each worker gets some 1,300
requests: short ones, streams and texts of 100,000 characters, over 16 connections. Memory is the engine's account
without the cache of files, which is what a limit counts; a line through the numbers (least squares) gives base and
worker. `router_base_memory_mib` and `router_worker_memory_mib` follow from it and from half an hour of requests
(endurance.py), after which workers share less. Prints one JSON object, in MiB.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import RELEASE, account_mib, load, need_ab, start, wait_for

ROUNDS, CONNECTIONS, PORT = 3, 16, 4114
# Not all workers need be there when the first one is.
SETTLE_SECONDS = 5.0
SHORT = {"model": "chat-auto", "max_tokens": 16, "messages": [{"role": "user", "content": "hi"}]}
LONG = {**SHORT, "messages": [{"role": "user", "content": "Compare two consensus protocols. " * 3_030}]}
# Requests a worker, in this order.
LOADS = ((SHORT, 800), ({**SHORT, "stream": True}, 300), (LONG, 200))


def held(workers: int, folder: Path) -> dict[str, float]:
    """Return MiB that so many workers hold before the first request, and after the last."""
    name = "vibe-bench-memory"
    start(name, PORT, workers, RELEASE.resolve() / "config.yaml", "--init")
    try:
        wait_for(PORT)
        time.sleep(SETTLE_SECONDS)
        found = {"started": account_mib(name)}
        for body, requests in LOADS:
            load(PORT, body, folder, requests * workers, CONNECTIONS)
        return {**found, "at work": account_mib(name)}
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=True, capture_output=True)


def main() -> int:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    numbers = sorted(set(parser.parse_args().workers))
    if len(numbers) < 2 or numbers[0] < 1:
        parser.error("--workers wants two numbers or more, each 1 or more")
    need_ab()
    rows: dict[int, list[dict[str, float]]] = {number: [] for number in numbers}
    with tempfile.TemporaryDirectory() as name:
        for turn in range(ROUNDS):
            for number in numbers[:: -1 if turn % 2 else 1]:
                rows[number].append(held(number, Path(name)))
                print(f"round {turn + 1} of {ROUNDS}: {number} workers: {rows[number][-1]}", file=sys.stderr)
    found: dict[str, Any] = {"rounds": ROUNDS}
    for when in ("started", "at work"):
        points = [(number, row[when]) for number in numbers for row in rows[number]]
        worker, base = statistics.linear_regression([x for x, _ in points], [y for _, y in points])
        medians = {f"{n} workers": round(statistics.median(row[when] for row in rows[n]), 1) for n in numbers}
        found[when] = {"unit": "MiB", "medians": medians, "base": round(base), "a worker": round(worker)}
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
