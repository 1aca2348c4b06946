#!/usr/bin/env python3
"""Half an hour of steady requests through the gateway: what is lost, and how the memory of the serving slot grows.

    ./deploy.sh && .venv-test/bin/python tests/bench/stack/endurance.py [--minutes 30] [--rate 50]

Requests come at their rate whatever the answers take (an open loop); one in ten is a stream of four seconds. Memory is
the proportional set size (PSS) of the slot's processes, in MiB, which counts a page that they share once. Prints one
JSON object: requests, those that failed, the samples, and the growth in MiB an hour: the slope of a straight line
through the second half of the samples, when pools and caches are full.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import serving_slot
from e2e.load import traffic_to
from e2e.machine import client_settings, router_processes

STREAM_EVERY = 10
SAMPLE_SECONDS = 20.0
KIB_PER_MIB = 1024


def pss(container: str) -> dict[str, float]:
    """Return MiB of a slot's processes: all that serve, and the largest worker."""
    sizes: list[list[float]] = [[], []]
    for kind, found in zip(sizes, router_processes(container), strict=True):
        for process in found:
            with suppress(ProcessLookupError, FileNotFoundError):  # a worker that was replaced just now
                table = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8")
                kind.append(sum(int(kib) for kib in re.findall(r"(?m)^Pss:\s+(\d+) kB", table)) / KIB_PER_MIB)
    parents, workers = sizes
    return {"slot": round(sum(parents) + sum(workers), 1), "largest worker": round(max(workers, default=0.0), 1)}


def growth(samples: list[dict[str, float]], what: str) -> float:
    """Return MiB an hour of the second half of the samples."""
    half = samples[len(samples) // 2 :]
    line = statistics.linear_regression([row["minute"] / 60 for row in half], [row[what] for row in half])
    return round(line.slope, 1)


def main() -> int:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    arguments = parser.parse_args()
    slot, seconds = serving_slot(), 60 * arguments.minutes
    container = slot["Name"].removeprefix("/")
    samples: list[dict[str, float]] = []
    with traffic_to(client_settings(), arguments.rate, STREAM_EVERY, seconds) as traffic:
        begun = time.monotonic()
        while (minute := (time.monotonic() - begun) / 60) < arguments.minutes:
            samples.append({"minute": round(minute, 2), **pss(container)})
            time.sleep(SAMPLE_SECONDS)
    found = {
        "slot (workers x memory)": slot["Config"]["Labels"].get("vibe.size"),
        "requests/s": arguments.rate,
        "requests": traffic.sent,
        "streams": traffic.streamed,
        "failed": len(traffic.failed),
        "failures": traffic.failed[:20],
        "MiB at the end": samples[-1]["slot"],
        "growth of the slot, MiB an hour": growth(samples, "slot"),
        "growth of the largest worker, MiB an hour": growth(samples, "largest worker"),
        "samples": samples,
    }
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
