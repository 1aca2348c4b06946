"""The host itself has what a service needs: room, and the right time."""

import time

from host.on_host import BASE_DIR, LEAVES, command
from report.model import require
from testinfra.host import Host

LEAST_FREE_PERCENT = 5
# Signed requests of providers are refused from five minutes on; far below that, logs of two hosts cannot be compared.
MOST_CLOCK_SECONDS = 30


def test_there_is_room_on_the_disk(host: Host, about: dict[str, str]) -> None:
    root = command(host, "docker info --format '{{.DockerRootDir}}'").strip()
    ours = [] if LEAVES else [BASE_DIR]
    lines = command(host, f"df -Pk {' '.join([root, *ours])} /").splitlines()[1:]
    used = {line.split()[5]: int(line.split()[4].rstrip("%")) for line in lines}
    about["disk"] = ", ".join(f"{mount} {percent} % used" for mount, percent in used.items())
    full = ", ".join(
        f"{mount} is {percent} % full" for mount, percent in used.items() if 100 - percent < LEAST_FREE_PERCENT
    )
    require(not full, f"{LEAST_FREE_PERCENT} % free", full, "docs/runbooks.md: a full disk")


def test_clock_is_that_of_the_control_node(host: Host) -> None:
    before = time.time()
    there = float(command(host, "date +%s"))
    # The host looked at its clock at some moment of the question, and cut its answer to whole seconds.
    off = max(before - 1 - there, there - time.time(), 0.0)
    expected = f"at most {MOST_CLOCK_SECONDS} s apart"
    require(
        off <= MOST_CLOCK_SECONDS, expected, f"{off:.0f} s apart", "timedatectl on both; chrony or systemd-timesyncd"
    )
