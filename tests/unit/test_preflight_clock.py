"""A host's clock is compared with the control node's of the moment of the look, however long the others take."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLE = Path(__file__).resolve().parents[2] / "roles/preflight"
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


def _holds(folder: Path, condition: str, *tasks: dict[str, Any], **variables: Any) -> None:
    """Run tasks on this machine, and see that a condition holds afterwards."""
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": [str(ROLE / "defaults/main.yml"), str(ROLE / "vars/main/host.yml")],
        "vars": variables,
        "tasks": [*tasks, {"ansible.builtin.assert": {"that": condition}}],
    }
    file = folder / "play.yml"
    file.write_text(json.dumps([play]), encoding="utf-8")
    words = [str(PLAYBOOK), "-i", "localhost,", "-c", "local", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("host", "found"), [(1_000_060, []), (1_000_061, ["clock"]), (999_930, ["clock"])])
def test_only_the_moment_of_the_look_counts(tmp_path: Path, host: int, found: list[str]) -> None:
    # Both times are long past: other hosts have kept what is made of the look waiting.
    condition = f"__preflight_clock_findings | map(attribute='subject') | list == {found}"
    _holds(tmp_path, condition, __preflight_look={"stdout_lines": [f"clock 1000000 {host}"]})


def test_the_look_tells_both_times(tmp_path: Path) -> None:
    tasks = yaml.safe_load((ROLE / "tasks/host.yml").read_text(encoding="utf-8"))
    look = next(task for task in tasks if task.get("register") == "__preflight_look")
    condition = f"__preflight_clocks | length == 2 and __preflight_clocks | min >= {int(time.time())}"
    _holds(tmp_path, f"{condition} and not __preflight_clock_findings", look)
