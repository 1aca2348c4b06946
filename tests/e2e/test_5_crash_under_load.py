"""What crashes or restarts while requests come costs those that were inside it, and nobody else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from e2e.load import traffic_to
from e2e.machine import run, wait_for

SERVING = Path("/opt/litellm-vibe-router/router/serving")
# Long enough for streams to be in every worker, and for a new worker to have started.
BEFORE_SECONDS, AFTER_SECONDS = 8.0, 12.0
# What was inside has failed by then; a request that fails later was not.
INSIDE_SECONDS = 3.0
NEW_WORKER_SECONDS = 90.0


def _workers(container: str) -> list[str]:
    """Return the process ids of a slot's workers, as the host knows them."""
    rows = run("docker", "top", container, "-o", "pid,args").stdout.splitlines()[1:]
    return [row.split()[0] for row in rows if "spawn_main" in row]


def test_a_worker_that_is_killed_takes_nothing_with_it_but_what_is_inside(deployed: dict[str, str]) -> None:
    slot = f"litellm-vibe-router-{SERVING.readlink().stem}"
    before = _workers(slot)
    if len(before) < 2:
        pytest.skip("this machine has a single processor: a slot with one worker is down until it has started again")
    with traffic_to(deployed) as traffic:
        time.sleep(BEFORE_SECONDS)
        inside = traffic.under_way
        run("kill", "-9", before[0])
        killed = time.monotonic()
        time.sleep(AFTER_SECONDS)
    late = [
        what for what, when in zip(traffic.failed, traffic.failed_at, strict=True) if when - killed > INSIDE_SECONDS
    ]
    assert late == []
    assert len(traffic.failed) < inside, "the other worker's requests were lost too"
    wait_for(lambda: len(_workers(slot)) == len(before), NEW_WORKER_SECONDS, lambda: _workers(slot))


def test_a_restart_of_redis_loses_no_request(deployed: dict[str, str]) -> None:
    with traffic_to(deployed) as traffic:
        time.sleep(BEFORE_SECONDS / 2)
        run("docker", "restart", "--time", "1", "vibe-redis")
        time.sleep(AFTER_SECONDS / 2)
    assert traffic.failed == []
    assert traffic.streamed > 10
