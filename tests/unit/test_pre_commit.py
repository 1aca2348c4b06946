"""Hooks and versions have one source: each fast check of test.sh is a hook, and there are no other hooks."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[2]


def test_each_fast_check_is_a_hook_and_a_hook_only_calls_it() -> None:
    listed = re.search(r"^FAST_CHECKS=\((.*)\)$", (PROJECT / "test.sh").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert [hook["id"] for hook in hooks] == listed[1].split()
    assert [hook["entry"] for hook in hooks] == [f"./test.sh {hook['id']}" for hook in hooks]


def test_pre_commit_accepts_its_configuration() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(PROJECT / ".pre-commit-config.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_version_is_the_changelogs_newest_or_the_next_one() -> None:
    sections = re.findall(r"^## (.*)$", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    released = [match[1] for line in sections if (match := re.fullmatch(r"(\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d", line))]
    number, _, rest = (PROJECT / "VERSION").read_text(encoding="utf-8").strip().partition("-")
    if sections[0] == "Unreleased":
        assert rest == "dev"
        assert tuple(map(int, number.split("."))) > tuple(map(int, released[0].split(".")))
    else:
        assert (rest, number) == ("", released[0])
