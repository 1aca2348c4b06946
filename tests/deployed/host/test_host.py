"""The host itself has disk space and the right time."""

import time

from deployed_names import BASE_DIR
from host.measures import LEAST_FREE_PERCENT, MOST_CLOCK_SECONDS, full_disks, read_disks, seconds_apart
from host.on_host import LEAVES, command
from report.model import require
from testinfra.host import Host


def test_there_is_room_on_the_disk(host: Host, about: dict[str, str]) -> None:
    root = command(host, "docker info --format '{{.DockerRootDir}}'").strip()
    ours = [] if LEAVES else [BASE_DIR]
    used = read_disks(command(host, f"df -Pk {' '.join([root, *ours])} /"))
    about["disk"] = ", ".join(f"{mount} {percent} % used" for mount, percent in used.items())
    full = full_disks(used)
    require(not full, f"{LEAST_FREE_PERCENT} % free", full, "docs/runbooks.md: a full disk")


def test_clock_is_that_of_the_control_node(host: Host) -> None:
    before = time.time()
    there = float(command(host, "date +%s"))
    off = seconds_apart(before, there, time.time())
    expected = f"at most {MOST_CLOCK_SECONDS} s apart"
    require(
        off <= MOST_CLOCK_SECONDS, expected, f"{off:.0f} s apart", "timedatectl on both; chrony or systemd-timesyncd"
    )
