#!/usr/bin/env python3
"""What a fleet costs the control node: processor time, memory and seconds of a preflight, by its number of hosts.

    ./deploy.sh && .venv-test/bin/python tests/bench/deployment/control.py [--hosts 1 50 200]

The hosts are made up, all on local connections to this machine, so that what modules cost the hosts is paid here too:
the figures are the control node's and its hosts' together, an upper bound of the former. Nothing is changed by a
preflight. Prints one JSON object; `memory` is the largest process of Ansible, in MiB.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[3]
RUN_SECONDS = 1500
KIB_PER_MIB = 1024


def inventory(folder: Path, hosts: int) -> Path:
    """Write an inventory of so many hosts, all but one of them routers, and return its folder."""
    shutil.copytree(PROJECT / "inventory/local", folder, ignore=shutil.ignore_patterns(".secrets"))
    names = [f"host-{number:04}" for number in range(hosts)]
    addresses = {
        name: {"ansible_connection": "local", "ansible_host": f"127.1.{number // 250}.{number % 250 + 1}"}
        for number, name in enumerate(names)
    }
    first, routers = dict.fromkeys(names[:1]), dict.fromkeys(names[1:] or names)
    groups = {"gateways": first, "redis_servers": first, "stub_upstreams": first, "routers": routers}
    tree = {"all": {"hosts": addresses}, **{group: {"hosts": members} for group, members in groups.items()}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    return folder


def preflight(hosts: int) -> dict[str, float]:
    """Run a preflight of so many hosts and return what it cost.

    Raises:
        SystemExit: it failed, with the end of what it said.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = inventory(Path(name) / "inventory", hosts)
        words = [str(PROJECT / ".venv/bin/ansible-playbook"), "-i", str(folder), "playbooks/preflight.yml"]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
        seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        # Before the recap of all hosts.
        sys.exit(done.stdout.split("\nPLAY RECAP")[0][-3000:] + done.stderr[-1000:])
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seconds": round(seconds, 1),
        "processor seconds": round(processor, 1),
        "processor seconds a host": round(processor / hosts, 2),
        "memory": round(after.ru_maxrss / KIB_PER_MIB),
    }


def main() -> int:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hosts", type=int, nargs="+", default=[1, 50, 200])
    numbers = sorted(parser.parse_args().hosts)
    print(json.dumps({"hosts": {str(number): preflight(number) for number in numbers}}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
