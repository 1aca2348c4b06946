#!/usr/bin/env python3
"""What the first clients of a new slot wait: a slot as it starts, by one whose workers the deployment has warmed.

    ./deploy.sh && .venv-test/bin/python tests/bench/stack/warm.py [--workers N]

Each measurement is of the serving release in a container of its own, started again: the slowest of its first answers,
four a worker on each API, whole and streamed, one after the other. Arms take turns in one run of some five minutes. The
warming is the deployment's own (roles/router/library/slot_proof.py). Prints one JSON object.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import RELEASE, compared, start, wait_for
from role_plugins import load

NAME, PORT, ROUNDS, A_WORKER = "vibe-bench-warm", 4114, 5, 4
# All workers are there.
SETTLED_SECONDS = 3.0
COLD, WARMED = "as it starts", "warmed"

proof = load("router/library/slot_proof")


def slowest(arm: str, workers: int) -> float:
    """Return the milliseconds of the slowest of a fresh container's first answers, warmed before or not."""
    start(NAME, PORT, workers, RELEASE.resolve() / "config.yaml", "--init")
    try:
        wait_for(PORT, every=0.1)
        time.sleep(SETTLED_SECONDS)
        slot = proof.Slot(f"127.0.0.1:{PORT}", RELEASE.resolve())
        if arm == WARMED:
            met, sent = proof.warm(slot, workers)
            print(f"{met} of {workers} workers warmed by {sent} requests", file=sys.stderr)
        model, taken = slot.families[0]["virtual_model"], []
        for _, api, stream in itertools.product(range(A_WORKER * workers), proof.PATHS, (False, True)):
            began = time.monotonic()
            answer = slot.ask(proof.PATHS[api], proof.body_of(api, model, "hi", stream=stream))
            taken.append((time.monotonic() - began) * 1000)
            if answer.status != 200:
                sys.exit(f"a request failed: {answer}")
        print(f"{arm}: slowest {max(taken):.0f} ms of {len(taken)}", file=sys.stderr)
        return max(taken)
    finally:
        subprocess.run(["docker", "rm", "--force", NAME], check=True, capture_output=True)


def main() -> int:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    workers = parser.parse_args().workers
    found = compared((COLD, WARMED), lambda arm: slowest(arm, workers), ROUNDS, "ms")
    print(json.dumps({"workers": workers, "slowest of the first answers": found}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
