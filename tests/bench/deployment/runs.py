#!/usr/bin/env python3
"""How long a run takes on this machine, by what it changes, beside `docker compose up -d` of LiteLLM alone.

    ./deploy.sh && .venv-test/bin/python tests/bench/deployment/runs.py [--rounds 5]

Ours is the whole of ./deploy.sh with the local inventory: everything is checked, what changed is proved in the idle
slot and switched to without a lost request, and the result is verified. Compose's is one container of the same image
and configuration, recreated in place, until it answers: LiteLLM's own start, and an outage of that length. A round has
a changed setting, a run with nothing to do, another image that is on the host already, and the way back to the one
before: ./deploy.sh rollback, or Compose with what it had. Arms alternate, in both orders. Prints one JSON object:
seconds, and the ratio with its quartiles; `difference` is what ours takes beyond. Afterwards the deployment is the
inventory's again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import RELEASE, comparison, in_turn, output, rounds_given, serving_slot, wait_for

PROJECT = Path(__file__).resolve().parents[3]
RUN_SECONDS = 900
PORT = 4113
# Seconds that a pool rests: a setting whose change makes a new release and does no harm.
SETTING, FIRST = "router_cooldown_time", 61
LOCK = PROJECT / "files/images/litellm/requirements.lock"
OTHER_IMAGE = "vibe-bench-litellm:other"


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
        "image": "${IMAGE:-" + container["Config"]["Image"] + "}",
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


def other_image() -> None:
    """Make an image that is another one to the engine, and the same to LiteLLM."""
    recipe = f"FROM {serving_slot()['Config']['Image']}\nLABEL vibe-bench=other\n"
    subprocess.run(
        ["docker", "build", "--tag", OTHER_IMAGE, "-"], input=recipe, text=True, check=True, capture_output=True
    )


class Arms:
    """Both ways to deploy, with a setting and an image that can be changed."""

    def __init__(self, folder: Path) -> None:
        self.setting = {"ours": FIRST, "Compose": FIRST}
        self.compose = ["docker", "compose", "--project-name=vibe-bench", f"--file={compose_file(folder)}"]
        other_image()
        # Other packages are another image; a comment makes it another file. Built in the round that does not count.
        self.lock = folder / "requirements.lock"
        self.lock.write_text(f"{LOCK.read_text(encoding='utf-8')}# Another image.\n", encoding="utf-8")

    def _ours(self, *words: str) -> None:
        subprocess.run(["./deploy.sh", *words], cwd=PROJECT, check=True, capture_output=True, timeout=RUN_SECONDS)

    def _deploy(self, arm: str, other: bool) -> None:
        if arm == "ours":
            image = f"images_litellm_lock={self.lock if other else ''}"
            self._ours("-e", f"{SETTING}={self.setting[arm]}", "-e", image)
            return
        words = ["env", f"SETTING={self.setting[arm]}", *([f"IMAGE={OTHER_IMAGE}"] if other else [])]
        output(*words, *self.compose, "up", "--detach")
        wait_for(PORT)

    def _back(self, arm: str) -> None:
        if arm == "ours":
            self._ours("rollback")
        else:
            self._deploy(arm, other=False)

    def round(self, arm: str) -> dict[str, float]:
        """Deploy each kind of change with an arm, and return the seconds until each serves.

        Raises:
            subprocess.CalledProcessError: a run failed.
        """
        self.setting[arm] += 1
        steps: dict[str, Callable[[], None]] = {
            "a changed setting": lambda: self._deploy(arm, other=False),
            "nothing to do": lambda: self._deploy(arm, other=False),
            "another image": lambda: self._deploy(arm, other=True),
            "rollback": lambda: self._back(arm),
        }
        seconds = {}
        for name, step in steps.items():
            began = time.monotonic()
            step()
            seconds[name] = time.monotonic() - began
        return seconds

    def end(self) -> None:
        """Leave the inventory's deployment alone."""
        output(*self.compose, "down")
        output("docker", "image", "rm", OTHER_IMAGE)
        self._ours()


def main() -> int:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=rounds_given, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        arms = Arms(Path(name))
        try:
            values = in_turn(list(arms.setting), arms.round, rounds)
        finally:
            arms.end()
    found = {
        name: comparison({arm: [seconds[name] for seconds in of_arm] for arm, of_arm in values.items()}, "s")
        for name in values["ours"][0]
    }
    print(json.dumps({"release": RELEASE.resolve().name, **found}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
