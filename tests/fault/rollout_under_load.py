#!/usr/bin/env python3
"""How many requests a fleet loses while its release is changed, undone and rolled back.

Sends requests at a steady rate, a third of them streams of some seconds, to the gateway of an inventory whose hosts are
throwaway ones, and meanwhile rolls out changed releases, one that is bad on the second router, and a rollback. Prints
for each what was sent, lost and how long it took.

    ./deploy.sh lab && ./deploy.sh -i inventory/lab
    .venv-test/bin/python tests/fault/rollout_under_load.py --rate 30 --requests 10000
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from e2e.load import traffic_to
from e2e.machine import run
from fault.fleet import Fleet

# What a release is changed by: a number that no request depends on.
FIRST_COOLDOWN = 41
MOST_ROLLOUTS = 12


def bad_on(host: str, fleet: Fleet) -> dict[str, Any]:
    """Return variables of a release that is good everywhere but on *host*, where its requests fail."""
    pools = fleet.models()["router_pools"]
    for pool in pools:
        deployment = pool["deployments"][0]
        good = deployment["api_base"]
        deployment["api_base"] = f"{{{{ 'http://127.0.0.1:9' if inventory_hostname == '{host}' else '{good}' }}}}"
    return {"router_pools": pools, "router_cooldown_time": FIRST_COOLDOWN - 1}


def measure(what: str, command: list[str], settings: dict[str, str], rate: float, code: int = 0) -> int:
    """Run *command* under load, print what became of the requests, and return how many there were.

    Raises:
        SystemExit: the command ended with another code than *code*.
    """
    begun = time.monotonic()
    with traffic_to(settings, rate) as traffic:
        done = run(*command, check=False, timeout=900)
        took = time.monotonic() - begun
    counted = f"{traffic.sent:6} sent  {traffic.streamed:5} streams  {len(traffic.failed):3} lost"
    print(f"{what:34} {counted}  {took:4.0f} s", flush=True)
    for line in traffic.failed[:5]:
        print(f"    {line}")
    if done.returncode != code:
        raise SystemExit(f"exit code {done.returncode}, not {code}:\n{done.stdout[-4000:]}")
    return traffic.sent


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inventory", default="inventory/lab")
    parser.add_argument("--rate", type=float, default=30.0, help="requests a second")
    parser.add_argument("--requests", type=int, default=10_000, help="good rollouts go on until so many were sent")
    given = parser.parse_args()
    fleet = Fleet(given.inventory)
    print(f"{len(fleet.routers)} routers, {given.rate:g} requests/s")
    sent = 0
    for number in range(MOST_ROLLOUTS):
        change = ["-e", f"router_cooldown_time={FIRST_COOLDOWN + number}"]
        sent += measure(
            f"changed release, {number + 1}", fleet.playbook("rollout", *change), fleet.settings, given.rate
        )
        if sent >= given.requests:
            break
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(bad_on(fleet.routers[1], fleet), file)
        file.flush()
        bad = fleet.playbook("rollout", "-e", f"@{file.name}")
        measure(f"bad on {fleet.routers[1]}, undone", bad, fleet.settings, given.rate, code=2)
    measure("rollback", fleet.playbook("rollback"), fleet.settings, given.rate)


if __name__ == "__main__":
    main()
