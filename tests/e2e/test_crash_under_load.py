"""A crash or restart under load costs the requests that were inside, and no others."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from e2e.load import traffic_to
from e2e.machine import router_processes, run, wait_for

SERVING = Path("/opt/litellm-vibe-router/router/serving")
BEFORE_SECONDS, AFTER_SECONDS = 8.0, 12.0
BUSY_SECONDS = 60.0
LITELLM_PORT = 4000
# As in the kernel's table of connections.
ESTABLISHED = "01"
# Requests that were inside have failed by then; a later failure is another one.
INSIDE_SECONDS = 3.0
NEW_WORKER_SECONDS = 90.0


def _workers(container: str) -> list[int]:
    return router_processes(container)[1]


def _connections(process: int) -> int:
    """Return how many connections of the gateway a process of a slot holds; idle ones are among them."""
    held = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            held.add(os.readlink(descriptor))
    rows = [line.split() for line in Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]]
    return sum(
        local.endswith(f":{LITELLM_PORT:04X}") and state == ESTABLISHED and f"socket:[{inode}]" in held
        for _, local, _, state, _, _, _, _, _, inode, *_ in rows
    )


def test_a_worker_that_is_killed_takes_nothing_with_it_but_what_is_inside(deployed: dict[str, str]) -> None:
    slot = f"litellm-vibe-router-{SERVING.readlink().stem}"
    before = _workers(slot)
    if len(before) < 2:
        pytest.skip("this machine has a single processor: a slot with one worker is down until it has started again")
    with traffic_to(deployed) as traffic:
        # How requests spread over the workers is the kernel's choice: the test begins where each has some.
        wait_for(lambda: min(map(_connections, before)) > 1, BUSY_SECONDS)
        killed_worker = min(before, key=_connections)
        # Stopped first, for what it holds not to change any more while it is counted.
        os.kill(killed_worker, signal.SIGSTOP)
        inside = _connections(killed_worker)
        os.kill(killed_worker, signal.SIGKILL)
        killed = time.monotonic()
        time.sleep(AFTER_SECONDS)
    late = [
        what for what, when in zip(traffic.failed, traffic.failed_at, strict=True) if when - killed > INSIDE_SECONDS
    ]
    assert late == []
    assert len(traffic.failed) <= inside, f"{inside} requests were inside at most; {traffic.story()}"
    wait_for(lambda: len(_workers(slot)) == len(before), NEW_WORKER_SECONDS, lambda: _workers(slot))


def test_a_restart_of_redis_loses_no_request(deployed: dict[str, str]) -> None:
    with traffic_to(deployed) as traffic:
        time.sleep(BEFORE_SECONDS / 2)
        run("docker", "restart", "--time", "1", "vibe-redis")
        time.sleep(AFTER_SECONDS / 2)
    assert not traffic.failed, traffic.story()
    assert traffic.streamed > 10
