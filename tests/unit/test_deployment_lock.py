"""One deployment at a time: who holds the lock, who is refused, and what releases it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from role_plugins import load

NOW = 1_790_000_000.0
HOUR = 3600


class Lock:
    """The module's work on one file, with a clock set by the test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.module = load("deployment/library/deployment_lock")

    def want(self, state: str, run: str = "", after: float = 0, message: str = "") -> dict[str, Any]:
        wanted = {"run": run, "by": f"{run}@desk", "action": "deploy", "message": message, "ttl": HOUR, "state": state}
        result: dict[str, Any] = self.module.settle(wanted, self.path, NOW + after)
        return result


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    return Lock(tmp_path / "lock.json")


def test_the_first_run_has_it_and_the_second_is_told_who_does(lock: Lock) -> None:
    assert lock.want("held", "a", message="new prices")["held"]
    refused = lock.want("held", "b", after=190)
    assert not refused["held"]
    assert refused["reason"] == "held by a@desk, run a (deploy: new prices), since 2026-09-21T14:13:20Z, 3 minutes ago"
    assert lock.want("looked")["holder"]["run"] == "a"


def test_a_run_that_renews_keeps_it_beyond_its_time_and_one_that_does_not_loses_it(lock: Lock) -> None:
    lock.want("held", "a")
    assert lock.want("held", "a", after=HOUR)["taken_over"] is False
    assert not lock.want("held", "b", after=2 * HOUR)["held"]
    taken = lock.want("held", "b", after=2 * HOUR + 1)
    assert (taken["held"], taken["taken_over"], taken["changed"]) == (True, True, True)
    assert taken["holder"]["run"] == "a", "who lost it is reported"
    assert json.loads(lock.path.read_text(encoding="utf-8"))["since"] == "2026-09-21T16:13:21Z"


def test_a_kept_lock_is_neither_taken_over_nor_freed_by_its_run(lock: Lock) -> None:
    lock.want("held", "a")
    assert not lock.want("kept", "a", message="the rollback failed on r2")["held"], "what ends the run must not free it"
    refused = lock.want("held", "b", after=99 * HOUR)
    assert not refused["held"]
    assert refused["reason"].endswith("4 days ago: the rollback failed on r2")
    assert lock.want("free", "a")["reason"]
    assert lock.path.exists()
    assert lock.want("free")["changed"], "an operator frees it"
    assert not lock.path.exists()


def test_a_run_frees_its_own_lock_alone(lock: Lock) -> None:
    lock.want("held", "a")
    assert "held by a@desk" in lock.want("free", "b")["reason"]
    freed = lock.want("free", "a")
    assert (freed["changed"], freed["holder"]["run"]) == (False, "a")
    assert lock.want("free", "a") == {"run": "a", "held": False, "holder": {}, "reason": "", "changed": False}


def test_a_lock_that_is_no_json_is_an_error_and_never_a_free_one(lock: Lock) -> None:
    lock.path.write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="no JSON object"):
        lock.want("held", "a")


def test_the_lock_of_an_ended_run_is_freed_with_what_reached_its_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = load("deployment/callback_plugins/deployment_lock_end")
    monkeypatch.setattr(sys, "argv", ["ansible-playbook", "site.yml"])
    given = {"inventory": ("inventory/lab",), "extra_vars": ("@keys.yml",), "become_ask_pass": True, "tags": ["router"]}
    command = plugin.unlock_command(given, "a", "r1: It's not healthy")
    assert command[0] == "ansible-playbook"
    assert command[1].endswith("/playbooks/unlock.yml")
    assert command[2:7] == ["-i", "inventory/lab", "-e", "@keys.yml", "--ask-become-pass"]
    assert json.loads(command[-1]) == {"unlock_run": "a", "unlock_reason": "r1: It's not healthy"}
