#!/usr/bin/env python3
"""How long a run takes on this machine, by what it changes, beside `docker compose up -d` of LiteLLM alone.

    ./deploy.sh && .venv-test/bin/python tests/bench/deployment/runs.py [--rounds 5]

Ours is the whole of ./deploy.sh with the local inventory: everything is looked at, what changed is proved in the idle
slot and switched to without a lost request, and the result is verified. Compose's is one container of the same image
and configuration, recreated in place, until it answers: LiteLLM's own start, and an outage of that length. Arms
alternate, in both orders. Prints one JSON object: seconds, and the ratio with its quartiles; `difference` is what ours
takes beyond. Afterwards the deployment is the inventory's again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import RELEASE, compared, serving_slot, wait_for

PROJECT = Path(__file__).resolve().parents[3]
RUN_SECONDS = 900
PORT = 4113
# Seconds that a pool rests: a setting whose change makes a new release and does no harm.
SETTING, FIRST = "router_cooldown_time", 61


def compose_file(folder: Path) -> Path:
    """Write a compose file of LiteLLM alone, like the serving slot but with one worker, and return its path."""
    container = serving_slot()
    volumes = []
    for number, mount in enumerate(container["Mounts"]):
        # A copy, with its owner: the toolkit removes old releases, and for a source that is gone Docker makes a folder.
        source = folder / str(number)
        subprocess.run(["cp", "--archive", mount["Source"], source], check=True)
        volumes.append(f"{source}:{mount['Destination']}:ro")
    folder.chmod(0o711)
    service = {
        "image": container["Config"]["Image"],
        "user": container["Config"]["User"],
        "working_dir": container["Config"]["WorkingDir"],
        "entrypoint": ["python3", "/app/vibe_launch.py", "serve", "--workers", "1"],
        # A `$` of a key is not a variable of Compose.
        "environment": [pair.replace("$", "$$") for pair in container["Config"]["Env"]],
        "volumes": volumes,
        "ports": [f"127.0.0.1:{PORT}:4000"],
        "tmpfs": ["/tmp"],
        "read_only": True,
        "networks": ["vibe"],
        "labels": {"setting": "${SETTING:-0}"},
    }
    path = folder / "compose.yaml"
    path.touch(mode=0o600)
    tree = {"services": {"litellm": service}, "networks": {"vibe": {"external": True}}}
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return path


class Arms:
    """Both ways to deploy, with one setting that can be changed."""

    def __init__(self, folder: Path) -> None:
        self.setting = {"ours": FIRST, "Compose": FIRST}
        self.compose = ["docker", "compose", "--project-name=vibe-bench", f"--file={compose_file(folder)}"]

    def run(self, arm: str) -> float:
        """Deploy with an arm's setting, and return the seconds until it serves.

        Raises:
            subprocess.CalledProcessError: the run failed.
        """
        began = time.monotonic()
        if arm == "ours":
            words = ["./deploy.sh", "-e", f"{SETTING}={self.setting[arm]}"]
        else:
            words = ["env", f"SETTING={self.setting[arm]}", *self.compose, "up", "--detach"]
        subprocess.run(words, cwd=PROJECT, check=True, capture_output=True, timeout=RUN_SECONDS)
        if arm == "Compose":
            wait_for(PORT)
        return time.monotonic() - began

    def change(self, arm: str) -> float:
        """Deploy a changed setting, and return the seconds."""
        self.setting[arm] += 1
        return self.run(arm)

    def end(self) -> None:
        """Leave the inventory's deployment alone."""
        subprocess.run([*self.compose, "down"], check=True, capture_output=True)
        subprocess.run(["./deploy.sh"], cwd=PROJECT, check=True, capture_output=True, timeout=RUN_SECONDS)


def main() -> int:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        arms = Arms(Path(name))
        try:
            found = {
                "a changed setting": compared(list(arms.setting), arms.change, rounds, "s"),
                "nothing to do": compared(list(arms.setting), arms.run, rounds, "s"),
            }
        finally:
            arms.end()
    print(json.dumps({"release": RELEASE.resolve().name, **found}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
