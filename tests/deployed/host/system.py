"""The host itself has disk space and the right time."""

from __future__ import annotations

import time

from deployed_names import BASE_DIR
from report.model import require

from host.context import HostContext
from host.measures import LEAST_FREE_PERCENT, MOST_CLOCK_SECONDS, full_disks, read_disks, seconds_apart
from host.registry import check


@check()
def disks_have_room(host: HostContext) -> None:
    root = host.command("docker info --format '{{.DockerRootDir}}'").strip()
    ours = [] if host.leaves else [BASE_DIR]
    used = read_disks(host.command(f"df -Pk {' '.join([root, *ours])} /"))
    host.about["disk"] = ", ".join(f"{mount} {percent} % used" for mount, percent in used.items())
    full = full_disks(used)
    require(not full, f"{LEAST_FREE_PERCENT} % free", full, "docs/runbooks.md: a full disk")


@check()
def clock_agrees_with_the_control_node(host: HostContext) -> None:
    before = time.time()
    there = float(host.command("date +%s"))
    off = seconds_apart(before, there, time.time())
    expected = f"at most {MOST_CLOCK_SECONDS} s apart"
    require(
        off <= MOST_CLOCK_SECONDS, expected, f"{off:.0f} s apart", "timedatectl on both; chrony or systemd-timesyncd"
    )
