"""A host's clock is compared with the control node's of the moment of the look, however long the others take."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
HOST = PROJECT / "roles/preflight"


@pytest.mark.parametrize(("host", "found"), [(1_000_060, []), (1_000_061, ["clock"]), (999_930, ["clock"])])
def test_only_the_moment_of_the_look_counts(tmp_path: Path, host: int, found: list[str]) -> None:
    # Both times are long past: a look that other hosts have kept waiting.
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": [str(HOST / "defaults/main.yml"), str(HOST / "vars/main/host.yml")],
        "vars": {"__preflight_look": {"stdout_lines": [f"clock 1000000 {host}"]}},
        "tasks": [
            {
                "ansible.builtin.assert": {
                    "that": f"__preflight_clock_findings | map(attribute='subject') | list == {found}",
                }
            }
        ],
    }
    file = tmp_path / "play.yml"
    file.write_text(json.dumps([play]), encoding="utf-8")
    done = subprocess.run(
        [PLAYBOOK, "-i", "localhost,", "-c", "local", file], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_look_tells_both_times() -> None:
    look = (HOST / "tasks/host.yml").read_text(encoding="utf-8")
    assert "date +'clock {{ now(utc=true).timestamp() | int }} %s'" in look
