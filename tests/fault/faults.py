#!/usr/bin/env python3
"""What each fault in the middle of a rollout costs: requests lost, time to recover, and the state after a re-run.

Rolls a changed release out to a fleet of throwaway hosts under a steady load, does one thing to it at a named task,
puts back what was taken away, and runs the same command again. Prints one row of a Markdown table for each fault.
The hosts are containers of this machine's engine (`./deploy.sh lab`): some of them are killed.

    ./deploy.sh lab && ./deploy.sh -i inventory/lab
    .venv-test/bin/python tests/fault/faults.py --rate 12
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from e2e.lab import on
from e2e.load import Traffic, traffic_to
from e2e.machine import PROJECT, changed, run
from fault.fleet import Fleet

# A rollout is over, or stuck, after so many seconds.
ROLLOUT_SECONDS = 600.0
# A host that was started again has SSH and its containers.
HOST_SECONDS = 120.0
# Traffic goes on after the command, so that what is lost late is seen.
AFTER_SECONDS = 10.0

RENDERED = "Ensure the release is rendered"
STARTED = "Ensure the release runs in its slot"
PROVED = "Check that the slot answers correctly"
TAKEN_IN = "Wait for the gateways to use the slot"
DRAINED = "Wait for the slot to drain"


class Rollout:
    """A running playbook whose output is followed.

    Args:
        command: the command, as words.
    """

    def __init__(self, command: list[str]) -> None:
        # A process group of its own, so that a kill is one of the whole run, as a lost control node is.
        self._process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._grown:
                self.lines.append(line.rstrip("\n"))
                self._grown.notify_all()

    def reaches(self, task: str, times: int = 1) -> None:
        """Wait until *task* has begun for the *times*-th time.

        Raises:
            SystemExit: it ended, or took too long, before.
        """
        end = time.monotonic() + ROLLOUT_SECONDS
        with self._grown:
            while sum(line.startswith("TASK ") and task in line for line in self.lines) < times:
                if time.monotonic() > end or not self._reader.is_alive():
                    raise SystemExit(f"task {task!r} was not reached:\n" + "\n".join(self.lines[-60:]))
                self._grown.wait(1.0)

    def kill(self) -> None:
        """End the run and everything it started on this machine, without a chance to say anything."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def code(self) -> int:
        """Wait for its end and return the exit code."""
        code = self._process.wait(ROLLOUT_SECONDS)
        self._reader.join()
        return code


@dataclass
class Outcome:
    """What was seen of one fault."""

    fault: str
    traffic: Traffic = field(default_factory=Traffic)
    at: float = 0.0
    code: int = 0

    def silence(self) -> float:
        """Return how long after the fault the last request was lost, in seconds; 0 without a lost one."""
        return max((moment - self.at for moment in self.traffic.failed_at), default=0.0)


class Faults:
    """The faults, each done to a rollout of a release of its own.

    Args:
        fleet: the deployed fleet.
        rate: requests a second.
        number: of the last release that was rolled out; the next one differs from it.
    """

    def __init__(self, fleet: Fleet, rate: float, number: int) -> None:
        self._fleet = fleet
        self._rate = rate
        self._number = number

    def _change(self) -> list[str]:
        return self._fleet.playbook("rollout", "-e", f"router_cooldown_time={self._number}")

    @contextmanager
    def _under_load(self, fault: str) -> Iterator[tuple[Outcome, Rollout]]:
        outcome = Outcome(fault)
        self._number += 1
        with traffic_to(self._fleet.settings, self._rate) as traffic:
            outcome.traffic = traffic
            rollout = Rollout(self._change())
            yield outcome, rollout
            outcome.code = rollout.code()
            time.sleep(AFTER_SECONDS)

    def _mend(self, outcome: Outcome, unlock: bool = False) -> None:
        """Run the same rollout again, twice, and print the row."""
        if unlock:
            run("./deploy.sh", "unlock", "-i", self._fleet.inventory)
        begun = time.monotonic()
        with traffic_to(self._fleet.settings, self._rate) as traffic:
            run(*self._change(), timeout=ROLLOUT_SECONDS)
            took = time.monotonic() - begun
        again = changed(run(*self._change()).stdout)
        serving = self._fleet.serving()
        releases = {words.split()[0] for words in serving.values()}
        up = all(words.split()[1].startswith("UP") for words in serving.values())
        state = "one release, all up" if len(releases) == 1 and up else str(serving)
        first, second = outcome.traffic, traffic
        print(
            f"| {outcome.fault} | {outcome.code} | {len(first.failed)} of {first.sent} | {outcome.silence():.0f} s |"
            f" {took:.0f} s, {len(second.failed)} of {second.sent} lost | {state}; again: changed={again} |",
            flush=True,
        )
        for line in [*first.failed[:4], *second.failed[:4]]:
            print(f"    {line}", file=sys.stderr, flush=True)

    def killed(self, task: str) -> None:
        """Kill the deployment while the second router is at *task*."""
        # Every router renders in one go; what follows is done batch by batch, and the second is the second time.
        times = 1 if task == RENDERED else 2
        with self._under_load(f"killed at “{task}”") as (outcome, rollout):
            rollout.reaches(task, times)
            time.sleep(0.5)
            rollout.kill()
            outcome.at = time.monotonic()
        self._mend(outcome, unlock=True)

    def two_at_once(self) -> None:
        """Begin a second deployment while one runs."""
        with self._under_load("a second deployment meanwhile") as (outcome, rollout):
            rollout.reaches(RENDERED)
            outcome.at = time.monotonic()
            second = run(*self._change(), check=False)
            if second.returncode != 2 or "is held by" not in second.stdout:
                raise SystemExit(f"the second was not refused:\n{second.stdout[-2000:]}")
        self._mend(outcome)

    def host_gone(self) -> None:
        """Kill the second router's host while its slot starts."""
        host = self._fleet.routers[1]
        with self._under_load("a router's host gone in its batch") as (outcome, rollout):
            rollout.reaches(STARTED, times=2)
            outcome.at = time.monotonic()
            run("docker", "kill", host)
        self._back(host)
        self._mend(outcome)

    def gateway_reloaded(self, task: str) -> None:
        """Reload the gateway while the second router is at *task*."""
        with self._under_load(f"gateway reloaded at “{task}”") as (outcome, rollout):
            rollout.reaches(task, times=2)
            outcome.at = time.monotonic()
            on(self._fleet.gateway, "docker kill --signal USR2 vibe-gateway")
        self._mend(outcome)

    def redis_gone(self) -> None:
        """Kill the Redis host while the second router's slot starts."""
        with self._under_load("Redis' host gone") as (outcome, rollout):
            rollout.reaches(STARTED, times=2)
            outcome.at = time.monotonic()
            run("docker", "kill", self._fleet.redis)
        self._back(self._fleet.redis)
        self._mend(outcome)

    def disk_full(self) -> None:
        """Let the second router have no room for a release."""
        host, releases = self._fleet.routers[1], "/opt/litellm-vibe-router/router/releases"
        on(
            host,
            f"cp -a {releases} /tmp/releases && mount -t tmpfs -o size=8m,mode=0750 tmpfs {releases}"
            f" && cp -a /tmp/releases/. {releases}/ && chown --reference=/tmp/releases {releases}"
            f" && (dd if=/dev/zero of={releases}/.full bs=4k 2>/dev/null || true)",
        )
        try:
            with self._under_load("a full disk on one router") as (outcome, _):
                outcome.at = time.monotonic()
        finally:
            on(host, f"umount {releases} && rm -r /tmp/releases")
        self._mend(outcome)

    def _back(self, host: str) -> None:
        """Start a host again and wait until it can be deployed to."""
        run("docker", "start", host)
        end = time.monotonic() + HOST_SECONDS
        while "yes" not in on(
            host, "systemctl is-active --quiet ssh docker && docker ps >/dev/null && echo yes", False
        ):
            if time.monotonic() > end:
                raise SystemExit(f"{host} did not come back")
            time.sleep(1)

    def all(self) -> dict[str, Callable[[], None]]:
        """Return every fault by its name."""
        killed = {"rendered": RENDERED, "started": STARTED, "proved": PROVED, "taken-in": TAKEN_IN, "drained": DRAINED}
        return {
            **{f"killed-{name}": partial(self.killed, task) for name, task in killed.items()},
            "two-at-once": self.two_at_once,
            "host-gone": self.host_gone,
            "reload-started": partial(self.gateway_reloaded, STARTED),
            "reload-drained": partial(self.gateway_reloaded, DRAINED),
            "redis-gone": self.redis_gone,
            "disk-full": self.disk_full,
        }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inventory", default="inventory/lab")
    parser.add_argument("--rate", type=float, default=12.0, help="requests a second")
    parser.add_argument(
        "--number", type=int, default=60, help="where the releases' numbers begin; another for a second run"
    )
    parser.add_argument("faults", nargs="*", help="which; without any, all")
    given = parser.parse_args()
    known = Faults(Fleet(given.inventory), given.rate, given.number).all()
    if unknown := [name for name in given.faults if name not in known]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    print("| Fault | Exit code | Lost | Last one lost after | Run again | State then |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in given.faults or known:
        known[name]()


if __name__ == "__main__":
    main()
