#!/usr/bin/env python3
"""How long the README's first command takes on a machine that has nothing yet, and what of it each part.

    ./deploy.sh && .venv-test/bin/python tests/bench/deployment/fresh.py [--rounds 3]

The machine is a throwaway host of Debian 13 with systemd, git and Python, whose packages, Python wheels and images come
from the network, as they do on a new server; it shares the processors of this one. Prints one JSON object: seconds of
the whole and of each role by its median, and every round's.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from e2e.machine import PROJECT, run
from e2e.throwaway import throwaway_host

NAME = "vibe-bench-fresh"
PACKAGES = ("ca-certificates", "iproute2", "git", "python3")
FOLDER = "/root/gateway"
# Beside those of ansible.cfg: what each role took, as the run's last lines.
CALLBACKS = "ansible.posix.profile_roles,deployment_lock_end,drift_report"
ROLE_LINE = re.compile(r"^(\w[\w.]*) -+ +([0-9.]+)s$", re.MULTILINE)
ARM, OTHERS, SMALLEST_ROW = "first ./deploy.sh", "all other roles", 4.0
TOTAL, TOOLS = "the whole", "Ansible's own packages"


def first_run(folder: Path) -> dict[str, float]:
    """Deploy on a new host, and return the seconds of the whole, of its tools and of each role.

    Raises:
        RuntimeError: the deployment failed.
    """
    with throwaway_host(NAME, "systemd", "trixie", PACKAGES, folder) as host:
        clone = folder / "clone"
        run("git", "clone", "--quiet", "--no-hardlinks", str(PROJECT), str(clone))
        host.put(clone, FOLDER)
        host.sh(f"chown -R 0:0 {FOLDER}")
        command = f"cd {FOLDER} && ANSIBLE_CALLBACKS_ENABLED={CALLBACKS} ./deploy.sh"
        began = time.monotonic()
        done = host.run("bash", "-lc", command, check=False, timeout=1800)
        whole = time.monotonic() - began
        if done.returncode:
            raise RuntimeError(f"the deployment failed:\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}")
        roles = {name: float(seconds) for name, seconds in ROLE_LINE.findall(done.stdout)}
        return {TOTAL: whole, TOOLS: whole - roles.pop("total"), **roles}


def told(rounds: list[dict[str, float]]) -> dict[str, dict[str, object]]:
    """Return the median of the whole and of each part that is worth a row of its own, in the form of a comparison."""
    medians = {part: statistics.median(row.get(part, 0.0) for row in rounds) for part in rounds[0]}
    large = {part: seconds for part, seconds in medians.items() if seconds >= SMALLEST_ROW}
    large[OTHERS] = sum(medians.values()) - sum(large.values())
    return {part: {"unit": "s", "medians": {ARM: round(seconds, 1)}} for part, seconds in large.items()}


def main() -> int:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = []
    for number in range(parser.parse_args().rounds):
        with tempfile.TemporaryDirectory() as name:
            rounds.append(first_run(Path(name)))
        print(f"round {number + 1}: {rounds[-1][TOTAL]:.0f} s", file=sys.stderr)
    print(json.dumps({**told(rounds), "rounds": rounds}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
