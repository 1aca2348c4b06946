#!/usr/bin/env python3
"""What a gateway for so many requests a second is made of, computed from measured costs and written to docs/scaling.md.

    python3 tests/bench/scaling.py            # rewrites the tables of docs/scaling.md
    python3 tests/bench/scaling.py --check    # only says whether they are out of date; exit 1 if so

The costs are in tests/bench/costs.json: what `./test.sh bench costs` and `./test.sh bench control` printed on one
machine. Another machine's are tried with --costs FILE.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROJECT = Path(__file__).resolve().parents[2]
COSTS = Path(__file__).with_name("costs.json")
PAGE = _PROJECT / "docs/scaling.md"
BEGIN, END = "<!-- tables: written by tests/bench/scaling.py -->", "<!-- end of tables -->"

RATES = (1, 10, 100, 1_000, 10_000, 100_000)
HOSTS = (10, 100, 1_000)
# A conversation under way is what asks Redis: its shape is what is planned for.
SHAPE = "fifth turn"
# Beyond it queues grow faster than the rate (M/M/1 waits at 0.7 are 2.3 service times).
BUSY = 0.7
CORES_A_HOST, MS_PER_SECOND = 4, 1000.0
# One router may be away, for a rollout or for a fault.
SPARE_HOSTS = 1
# Forks of ansible.cfg are on the control node's cores; a laptop or a small runner.
CONTROL_CORES = 4


@dataclass(frozen=True)
class Plan:
    """What a rate needs: processors in use by each part, and hosts of routers; Redis' share of its one thread."""

    rate: int
    router_cores: float
    router_hosts: int
    gateway_cores: float
    redis_thread: float

    @property
    def limit(self) -> str:
        """What gives way first, in words."""
        if self.redis_thread > BUSY:
            return "Redis: one thread is not enough"
        if self.gateway_cores > CORES_A_HOST * BUSY:
            return "one gateway host: several, and something in front"
        return "money: the upstreams"


def plan(rate: int, costs: dict[str, float]) -> Plan:
    """Return what *rate* requests a second need, from milliseconds of processor a request of each part."""
    router, gateway, redis = (rate * costs[part] / MS_PER_SECOND for part in ("router", "gateway", "Redis"))
    hosts = math.ceil(router / (CORES_A_HOST * BUSY)) + SPARE_HOSTS
    return Plan(rate, router, hosts, gateway, redis)


def minutes(hosts: int, seconds_a_host: float) -> float:
    """Return the least minutes of a control node's processors for a run over *hosts*."""
    return hosts * seconds_a_host / CONTROL_CORES / 60


def tables(costs: dict[str, Any]) -> str:
    """Return both tables of the page."""
    request = costs["a request"][SHAPE]
    lines = [
        "| requests/s | processors of routers | router hosts (4 processors, one spare) | processors of gateways"
        " | of Redis' one thread | what gives way first |",
        "| ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for found in (plan(rate, request) for rate in RATES):
        lines.append(
            f"| {found.rate:,} | {found.router_cores:,.2f} | {found.router_hosts:,} | {found.gateway_cores:,.2f}"
            f" | {found.redis_thread:.1%} | {found.limit} |"
        )
    lines += [
        "",
        "| hosts | processor minutes of a preflight | minutes on a control node with 4 processors, at least |",
        "| ---: | ---: | ---: |",
    ]
    a_host = costs["control"]["processor seconds a host"]
    lines += [f"| {hosts:,} | {hosts * a_host / 60:,.1f} | {minutes(hosts, a_host):,.1f} |" for hosts in HOSTS]
    return "\n".join(lines)


def page(text: str, costs: dict[str, Any]) -> str:
    """Return the page with its tables as *costs* has them."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{tables(costs)}\n{END}{rest.split(END)[1]}"


def main() -> int:
    """Rewrite the page, or check it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--costs", type=Path, help="costs of another machine: print the tables, write nothing")
    arguments = parser.parse_args()
    if arguments.costs:
        print(tables(json.loads(arguments.costs.read_text(encoding="utf-8"))))
        return 0
    text = PAGE.read_text(encoding="utf-8")
    wanted = page(text, json.loads(COSTS.read_text(encoding="utf-8")))
    if arguments.check:
        if text != wanted:
            print(f"{PAGE.name} is out of date: python3 tests/bench/scaling.py", file=sys.stderr)
        return int(text != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
