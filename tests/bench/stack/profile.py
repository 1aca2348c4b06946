#!/usr/bin/env python3
"""Where a worker's processor time goes while it serves: a profile of one worker of the serving slot under steady load.

    ./deploy.sh && .venv-test/bin/python tests/bench/stack/profile.py [--seconds 60] [--rate 25]

py-spy samples the thread that holds the interpreter's lock, 200 times a second; every sample counts for the innermost
part of PARTS that it is in. Requests are chat completions of a few words, one in ten a stream. Prints one JSON object:
percent by part, and the kernel's account of the milliseconds a request.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import serving_slot
from e2e.load import traffic_to
from e2e.machine import client_settings, router_processes

STREAM_EVERY, SAMPLES_A_SECOND, SETTLED_SECONDS = 10, 200, 10.0
# Part, and where the code of its frames is; a frame is of the first that fits, and of none if it is a library's.
PARTS = {
    "our plug-in": r"/app/vibe",
    "asking the upstream": r"site-packages/(openai|httpx|httpcore|aiohttp)/|litellm/llms/",
    "Redis": r"site-packages/redis/|litellm/caching/redis",
    "key and limits": r"litellm/proxy/auth/|limiter",
    "log, cost and headers of the answer": (
        r"litellm/litellm_core_utils/(litellm_logging|logging_|llm_response_utils)|litellm/(cost_calc|integrations/)"
    ),
    "chunks of streams": r"litellm/.*streaming",
    "deployment chosen, retries and fallbacks": r"litellm/router",
    "server and middleware": r"site-packages/(uvicorn|gunicorn|starlette|fastapi|h11|anyio)/|litellm/.*middleware",
    "the rest of LiteLLM": r"site-packages/litellm/",
}


def part_of(frames: list[str]) -> str:
    """Return the part of the innermost frame that is of one."""
    for frame in reversed(frames):
        for part, pattern in PARTS.items():
            if re.search(pattern, frame):
                return part
    return "the interpreter"


def shares(lines: Iterable[str]) -> dict[str, float]:
    """Return percent by part of py-spy's raw lines, "frame;frame;frame count"; the largest first."""
    found: Counter[str] = Counter()
    for line in lines:
        stack, count = line.rsplit(" ", 1)
        found[part_of(stack.split(";"))] += int(count)
    return {part: round(100 * count / found.total(), 1) for part, count in found.most_common()}


def used(processes: list[int]) -> float:
    """Return milliseconds of processor time that processes have used, by the kernel's account."""
    fields = [Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split() for process in processes]
    return sum(int(row[11]) + int(row[12]) for row in fields) * 1000 / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Profile, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=float, default=25.0, help="requests a second")
    arguments = parser.parse_args()
    workers = router_processes(serving_slot()["Name"].removeprefix("/"))[1]
    spy = [str(Path(sys.executable).with_name("py-spy")), "record", "--gil", "--nonblocking"]
    spy += ["--full-filenames", "--format=raw"]
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        with traffic_to(client_settings(), arguments.rate, STREAM_EVERY) as traffic:
            time.sleep(SETTLED_SECONDS)
            before, sent = used(workers), traffic.sent
            # Before the profile, which costs the worker something too.
            time.sleep(SETTLED_SECONDS)
            cost = (used(workers) - before) / (traffic.sent - sent)
            options = [f"--duration={arguments.seconds}", f"--rate={SAMPLES_A_SECOND}", f"--pid={workers[0]}"]
            subprocess.run([*spy, *options, f"--output={raw}"], check=True, capture_output=True)
        percent = shares(raw.read_text(encoding="utf-8").splitlines())
    found = {"requests/s": arguments.rate, "failed": len(traffic.failed), "ms of workers a request": round(cost, 1)}
    print(json.dumps({**found, "percent": percent}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
