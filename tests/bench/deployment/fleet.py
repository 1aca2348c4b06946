#!/usr/bin/env python3
"""How long a run with nothing to do takes by the number of routers, beside `docker compose up -d` over SSH on each.

    ./deploy.sh && .venv-test/bin/python tests/bench/deployment/fleet.py [--routers 1 2 4 8] [--rounds 3]

The fleet is the lab's (./deploy.sh lab): hosts with systemd and SSH of their own, a gateway and Redis beside the
routers, all on this machine's processors, which the control node shares with them: so this is an upper bound of what a
fleet of machines takes. Ours is the whole of ./deploy.sh: every host is checked and reported. Compose's is
its own look at the serving slot, of one router after the other. What a run costs the hosts' processors and the control
node's is listed separately, because separate machines would do the hosts' part side by side. It grows the lab from the
smallest number on, and takes it down at the end. Prints one JSON object: seconds, medians of the rounds, and ours by
the smallest fleet's.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import docker

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from e2e.lab import ENGINE, INVENTORY
from e2e.machine import PROJECT

FLEET = ("./deploy.sh", "-i", "inventory/lab")
RUN_SECONDS = 2400
IDLE_SECONDS = 10
NANOSECONDS = 1e9
# What a slot is started with (roles/router), and Compose's look at whether it still is.
UP = (
    "sudo sh -c 'cd /opt/litellm-vibe-router/router && slot=$(basename $(readlink serving) .env) && docker compose"
    " --project-name litellm-vibe-router-$slot --env-file slots/$slot.env --file current/compose.yaml"
    " up --detach --no-recreate'"
)


def run(*words: str) -> float:
    """Run a command in the project's folder and return its seconds; it ends the benchmark with what it said."""
    began = time.monotonic()
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return time.monotonic() - began


def processor_seconds() -> tuple[float, float]:
    """Return the processor seconds that the lab's hosts, with all in them, and children that ended have used."""
    lab_hosts = docker.from_env().containers.list(filters={"name": "vibe-lab-"})
    used = sum(host.stats(stream=False, one_shot=True)["cpu_stats"]["cpu_usage"]["total_usage"] for host in lab_hosts)
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used / NANOSECONDS, ours.ru_utime + ours.ru_stime


def idle_rate() -> float:
    """Return how many processor seconds a second the lab's hosts use when nobody asks anything of them."""
    began, before = time.monotonic(), processor_seconds()[0]
    time.sleep(IDLE_SECONDS)
    return (processor_seconds()[0] - before) / (time.monotonic() - began)


def lab(*words: str) -> None:
    """Make the lab as it is asked for."""
    run("./deploy.sh", "lab", "-e", json.dumps(ENGINE), *words)


def compose() -> float:
    """Have Compose look at the serving slot of every router over SSH, and return the seconds."""
    secrets = INVENTORY / ".secrets"
    options = (f"-oUserKnownHostsFile={secrets / 'known_hosts'}", f"-i{secrets / 'ssh_key'}")
    shown = subprocess.run(
        [str(PROJECT / ".venv/bin/ansible-inventory"), "-i", str(INVENTORY), "--list"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    inventory = json.loads(shown.stdout)
    hosts = [inventory["_meta"]["hostvars"][name] for name in inventory["routers"]["hosts"]]
    return sum(run("ssh", *options, f"{host['ansible_user']}@{host['ansible_host']}", UP) for host in hosts)


def measured(routers: int, rounds: int) -> dict[str, float]:
    """Grow the lab to so many routers, deploy, and return the seconds of runs with nothing to do."""
    lab("-e", f"lab_routers={routers}")
    found = {"deployed": run(*FLEET)}
    # The fingerprint of a fleet that has grown is saved by the run that finds nothing to do.
    run(*FLEET)
    ours, theirs, hosts, control = [], [], [], []
    idle = idle_rate()
    for _ in range(rounds):
        before = processor_seconds()
        ours.append(run(*FLEET))
        after = processor_seconds()
        hosts.append(after[0] - before[0] - idle * ours[-1])
        control.append(after[1] - before[1])
        theirs.append(compose())
    found["hosts' processors"], found["control node's"] = statistics.median(hosts), statistics.median(control)
    return {**found, "ours": statistics.median(ours), "Compose over SSH": statistics.median(theirs)}


def main() -> int:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--routers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if INVENTORY.exists():
        sys.exit("there is a lab already, which this would change and take down: ./deploy.sh lab --down")
    found: dict[str, Any] = {}
    try:
        for routers in sorted(arguments.routers):
            seconds = measured(routers, arguments.rounds)
            first = next(iter(found.values()))["medians"]["ours"] if found else seconds["ours"]
            found[f"{routers} routers"] = {
                "unit": "s",
                "medians": {arm: round(seconds[arm], 1) for arm in ("ours", "Compose over SSH")},
                "ours by the smallest fleet": round(seconds["ours"] / first, 2),
                "processor s of the hosts": round(seconds["hosts' processors"], 1),
                "processor s of the control node": round(seconds["control node's"], 1),
                "deployed at first, s": round(seconds["deployed"], 1),
                "rounds": arguments.rounds,
            }
            print(f"{routers} routers: {found[f'{routers} routers']}", file=sys.stderr)
    finally:
        lab("-e", "lab_state=down")
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
