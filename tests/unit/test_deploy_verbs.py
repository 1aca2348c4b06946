"""The verbs of deploy.sh: each is a playbook that is there and says what it does; what is no verb is wrong usage."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
USAGE_ERROR = 5
ROWS = re.findall(r"^(\w+) +(\S+\.yml) +(.+)$", (PROJECT / "deploy.sh").read_text(encoding="utf-8"), re.MULTILINE)


def _deploy(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["./deploy.sh", *words], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=False)


def test_there_are_verbs() -> None:
    assert next(verb for verb, _, _ in ROWS) == "deploy"


@pytest.mark.parametrize(("verb", "playbook", "words"), ROWS)
def test_a_verb_is_listed_and_its_playbook_says_what_it_does(verb: str, playbook: str, words: str) -> None:
    assert f"{words}\n" in _deploy("help").stdout
    told = _deploy("help", verb)
    assert told.returncode == 0
    title, blank, *head = told.stdout.splitlines()
    assert (title, blank) == (f"{verb}: .venv/bin/ansible-playbook {playbook}", "")
    assert head, f"{playbook} has no comment at its head"
    assert (PROJECT / playbook).is_file()


@pytest.mark.parametrize(
    "words", [["nonesuch"], ["help", "nonesuch"], ["env", "--nonesuch"], ["env", "--client", "nonesuch"]]
)
def test_what_is_not_known_is_wrong_usage(words: list[str]) -> None:
    done = _deploy(*words)
    assert done.returncode == USAGE_ERROR
    assert "nonesuch; ./deploy.sh help lists what there is" in done.stderr


def _completed(words: list[str]) -> list[str]:
    script = (
        'source <(./deploy.sh completion bash); COMP_WORDS=(./deploy.sh "$@"); COMP_CWORD=$#; _deploy_sh;'
        " printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.split()


def test_bash_completes_verbs_and_inventories() -> None:
    assert _completed(["ro"]) == ["rollback", "rotate"]
    assert {verb for verb, _, _ in ROWS} < set(_completed([""]))
    assert _completed(["status", "-i", "inventory/ex"]) == ["inventory/example"]
    assert _completed(["env", "--client", "c"]) == ["claude-code", "codex", "ca"]
    assert _completed(["env", "-i", "inventory/ex"]) == ["inventory/example"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_reads_its_completion() -> None:
    script = "autoload -Uz compinit; compinit -D; source <(./deploy.sh completion zsh); whence -w _deploy_sh"
    done = subprocess.run(["zsh", "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True)
    assert "function" in done.stdout
