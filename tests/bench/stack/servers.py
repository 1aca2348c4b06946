#!/usr/bin/env python3
"""What serves LiteLLM's application: our launcher's gunicorn, whose workers are forks, and LiteLLM's own uvicorn.

    ./deploy.sh && .venv-test/bin/python tests/bench/stack/servers.py [--workers N]

Each arm is the serving release in a container of its own, started again each round: seconds until it answers, requests
a second through all workers, what it holds in memory afterwards by the engine's account, and what a killed worker costs
under a steady ten requests a second. Arms take turns, in both orders, in one run of some ten minutes. Prints one JSON
object with the medians of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import RELEASE, SERVERS, account_mib, master_key, need_ab, output, rate, start, wait_for
from e2e.load import traffic_to

ROUNDS, REQUESTS, CONNECTIONS, PORT = 5, 200, 16, 4113
KILLED_RATE, BEFORE_SECONDS, AFTER_SECONDS = 10.0, 2.0, 15.0
BODY = {"model": "chat-auto", "max_tokens": 16, "messages": [{"role": "user", "content": "hi"}]}
MEASURES = ("seconds to start", "requests/s", "MiB", "requests lost")


def workers(container: str) -> list[int]:
    """Return the process ids of those that were started last: the workers, whichever way they were started."""
    rows = [line.split() for line in output("docker", "top", container, "-o", "pid,ppid,args").splitlines()[1:]]
    parents = {int(row[1]) for row in rows}
    leaves = [int(row[0]) for row in rows if int(row[0]) not in parents]
    return [process for process in leaves if "resource_tracker" not in Path(f"/proc/{process}/cmdline").read_text()]


def measured(server: str, count: int, folder: Path) -> dict[str, float]:
    """Start an arm, measure it, and remove it."""
    name = f"vibe-bench-{server}"
    began = time.monotonic()
    start(name, PORT, count, RELEASE.resolve() / "config.yaml", "--init", server=server)
    try:
        wait_for(PORT, every=0.1)
        found = {"seconds to start": time.monotonic() - began}
        # Not all workers need be there when the first one is.
        time.sleep(AFTER_SECONDS / 3)
        rate(PORT, BODY, folder, REQUESTS // 4, CONNECTIONS)
        found["requests/s"] = rate(PORT, BODY, folder, REQUESTS, CONNECTIONS)
        found["MiB"] = account_mib(name)
        client = {"OPENAI_BASE_URL": f"http://127.0.0.1:{PORT}/v1", "OPENAI_API_KEY": master_key()}
        with traffic_to(client, KILLED_RATE) as traffic:
            time.sleep(BEFORE_SECONDS)
            os.kill(workers(name)[-1], signal.SIGKILL)
            time.sleep(AFTER_SECONDS)
        found["requests lost"] = len(traffic.failed)
        return found
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=True, capture_output=True)


def main() -> int:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    count = parser.parse_args().workers
    need_ab()
    rows: dict[str, list[dict[str, float]]] = {server: [] for server in SERVERS}
    with tempfile.TemporaryDirectory() as name:
        for number in range(ROUNDS):
            for server in list(SERVERS)[:: 1 if number % 2 else -1]:
                rows[server].append(measured(server, count, Path(name)))
                print(f"round {number + 1} of {ROUNDS}: {server}: {rows[server][-1]}", file=sys.stderr)
    found: dict[str, Any] = {"workers": count, "rounds": ROUNDS}
    for measure in MEASURES:
        medians = {server: round(statistics.median(row[measure] for row in rows[server]), 1) for server in SERVERS}
        found[measure] = {"unit": measure, "medians": medians, "all": {s: [r[measure] for r in rows[s]] for s in rows}}
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
