#!/usr/bin/env python3
"""Whose processor time a request takes at full load: of the whole stack, and of LiteLLM alone.

    ./deploy.sh && .venv-test/bin/python tests/bench/stack/account.py [--rounds 3] [--requests 1500]

The arms are those of throughput.py without complexity_router, asked for a chat completion of 50 characters over 16
connections, in turn and in both orders. The kernel's account of each process is read before and after, by what the
process is, and divided by the requests; what the processors did in all says how much of them was idle. Prints one JSON
object: medians of the milliseconds a request, and of requests a second.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import AS_IT_COMES, in_turn, load, need_ab, start, wait_for, without_plugin
from bench.stack.throughput import ALONE, OURS, PORTS, Row

MS_PER_SECOND = 1000.0
TICKS = os.sysconf("SC_CLK_TCK")
# Of a command line, the first that fits.
PARTS = {
    "LiteLLM": r"vibe_launch\.py serve|litellm --config",
    "stub upstream": r"stub_upstream\.py",
    "gateway": r"^haproxy",
    "Redis": r"^redis-server",
    "published ports (docker-proxy)": r"docker-proxy",
    "engine": r"dockerd|containerd",
}
WARMING = 200
# Fields of /proc/PID/stat after the name, and of the first line of /proc/stat (proc(5)).
USER, SYSTEM, ALL_IDLE = 11, 12, 3


def used() -> dict[str, float]:
    """Return seconds of processor by part so far, of processes that live, and what was idle."""
    seconds: dict[str, float] = defaultdict(float)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended meanwhile.
        for part, pattern in PARTS.items():
            if re.search(pattern, command):
                seconds[part] += (int(fields[USER]) + int(fields[SYSTEM])) / TICKS
                break
    whole = [int(ticks) / TICKS for ticks in Path("/proc/stat").read_text(encoding="ascii").split("\n")[0].split()[1:]]
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds["load generator"] = children.ru_utime + children.ru_stime
    seconds["all, the kernel's own work too"] = sum(whole) - whole[ALL_IDLE]
    seconds["idle"] = whole[ALL_IDLE]
    return seconds


def main() -> int:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1500)
    arguments = parser.parse_args()
    need_ab()
    row, name = Row(), f"vibe-bench-{PORTS[ALONE]}"
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)

        def measure(arm: str) -> dict[str, float]:
            body = row.body(arm)
            load(PORTS[arm], body, folder, WARMING, row.connections)
            before = used()
            rate = load(PORTS[arm], body, folder, arguments.requests, row.connections).rate
            after = used()
            ms = {part: MS_PER_SECOND * (after[part] - before.get(part, 0.0)) / arguments.requests for part in after}
            return {"requests/s": rate, **ms}

        try:
            start(name, PORTS[ALONE], 1, without_plugin(folder), AS_IT_COMES, server="uvicorn")
            wait_for(PORTS[ALONE])
            rows = in_turn([OURS, ALONE], measure, arguments.rounds)
        finally:
            subprocess.run(["docker", "rm", "--force", name], check=False, capture_output=True)
    found: dict[str, Any] = {
        arm: {what: round(statistics.median(one[what] for one in ones), 2) for what in ones[0]}
        for arm, ones in rows.items()
    }
    print(json.dumps({"rounds": arguments.rounds, **found}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
