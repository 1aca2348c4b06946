"""What every host needs: a connection, an engine, disk space, the right time."""

from __future__ import annotations

import time

from host.measures import LEAST_FREE_PERCENT, MOST_CLOCK_SECONDS, full_disks, read_disks, seconds_apart
from report.model import require

from doctor.case import Case, Machine
from doctor.containers import run
from doctor.symptoms import FULL_DISK, quoted


def host_answers(case: Case, machine: Machine) -> None:
    """The control node reaches the host."""
    done = machine.host.run("true")
    hint = "is it up? ssh to it with the inventory's user and key; docs/runbooks.md: a dead host"
    require(done.rc == 0, "an answer to a command", quoted(done.stderr) if done.rc else "", hint)


def engine_answers(case: Case, machine: Machine) -> None:
    """Docker runs there."""
    done = machine.host.run("docker version --format '{{.Server.Version}}'")
    hint = "systemctl status docker; roles/docker/README.md: when the engine does not start"
    require(done.rc == 0, "Docker's engine to answer", quoted(done.stderr or done.stdout), hint)


def disk_has_room(case: Case, machine: Machine) -> None:
    """Disks have space: on a full one Redis refuses writes and slots do not start."""
    root = run(machine, "docker info --format '{{.DockerRootDir}}'").strip()
    full = full_disks(read_disks(run(machine, f"df -Pk {root} /")))
    require(not full, f"{LEAST_FREE_PERCENT} % free", full, FULL_DISK)


def clock_is_right(case: Case, machine: Machine) -> None:
    """The clock is right: else signed requests and certificates fail."""
    before = time.time()
    there = float(run(machine, "date +%s"))
    off = seconds_apart(before, there, time.time())
    hint = "timedatectl there; chrony or systemd-timesyncd"
    require(off <= MOST_CLOCK_SECONDS, f"at most {MOST_CLOCK_SECONDS} s apart from here", f"{off:.0f} s", hint)
