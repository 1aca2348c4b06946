"""docs/scaling.md has the numbers that its script computes from the measured costs."""

from __future__ import annotations

import json

import pytest
from bench import scaling

COSTS = {"router": 10.0, "gateway": 1.0, "Redis": 0.1}


def test_the_page_has_the_tables_of_the_measured_costs() -> None:
    text = scaling.PAGE.read_text(encoding="utf-8")
    costs = json.loads(scaling.COSTS.read_text(encoding="utf-8"))
    assert scaling.page(text, costs) == text, "python3 tests/bench/scaling.py"


def test_a_rate_is_paid_by_its_processor_time_and_one_host_is_spare() -> None:
    found = scaling.plan(1_000, COSTS)
    assert found.router_cores == pytest.approx(10.0)
    # 10 processors at 70 % of 4 per host are 3.6 hosts.
    assert found.router_hosts == 4 + scaling.SPARE_HOSTS
    assert found.gateway_cores == pytest.approx(1.0)
    assert found.redis_thread == pytest.approx(0.1)


@pytest.mark.parametrize(("rate", "limit"), [(100, "money"), (5_000, "one gateway host"), (50_000, "Redis")])
def test_what_gives_way_first_is_named(rate: int, limit: str) -> None:
    assert scaling.plan(rate, COSTS).limit.startswith(limit)


def test_a_fleet_takes_its_processor_time_by_the_control_nodes_processors() -> None:
    assert scaling.minutes(240, 5.0) == pytest.approx(240 * 5.0 / 4 / 60)
